import type { ClusterConfig } from '../core/config/schema';
import { Model } from './model';
import { inVirtualTime } from './virtual-time';
import { type Execution, Workflows } from './workflows';

/** A cluster in the twin: the model of AWS, and what runs its workflows. */
export class Twin {
  readonly model: Model;
  readonly workflows: Workflows;

  constructor(config: ClusterConfig) {
    this.model = new Model(config);
    this.workflows = new Workflows(this.model);
  }

  /** Runs a workflow to its end, however it ends. */
  async run(workflow: string, input?: object): Promise<Execution> {
    const execution = this.workflows.start(workflow, input);
    await execution.over;
    return execution;
  }
}

/**
 * Makes a cluster of a configuration and lets `script` live with it, in virtual time.
 * @returns what the script returns
 */
export function simulate<T>(config: ClusterConfig, script: (twin: Twin) => Promise<T>): Promise<T> {
  return inVirtualTime(() => script(new Twin(config)));
}
