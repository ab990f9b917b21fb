import * as z from 'zod';
import { EXIT } from '../../terminal/errors';
import { Progress } from '../../terminal/progress';
import { describeEstimate } from '../describe';
import { follow } from '../follow';
import { estimate, type Status } from '../status-answer';
import { type Target, type TargetOptions, targetOf } from '../target';
import { WakeApi } from '../wake-api';
import { lookAtEnd, startWorkflow } from '../workflows';

/** What `POST /wake` and `POST /sleep` answer. */
const startAnswer = z.looseObject({
  state: z.string(),
  message: z.string(),
  execution: z.string().optional(),
  estimate: estimate.optional(),
  look: z.object({ status: z.string(), console: z.string().optional() }).optional(),
});

export interface WorkflowOptions extends TargetOptions {
  /** False: only start it. */
  follow: boolean;
}

export interface RequestOptions extends WorkflowOptions {
  reason?: string;
}

/** Asks the cluster to wake or to sleep, and follows it until it has. */
export async function request(
  workflow: 'wake' | 'sleep',
  options: RequestOptions,
  signal: AbortSignal,
): Promise<number> {
  const target = targetOf(options);
  const say = speaker(options, target);
  const api = await WakeApi.connect(target, signal);
  const { reason } = options;
  const answer = await api.request(startAnswer, 'POST', `/${workflow}`, reason === undefined ? undefined : { reason });
  const left = answer.estimate && `: ${describeEstimate(answer.estimate)}`;
  say(`${answer.message}${left ?? ''}.`);
  if (answer.execution !== undefined && options.follow) {
    return followToEnd(workflow, answer.execution, { target, api, options, signal });
  }
  if (options.json) console.log(JSON.stringify(answer));
  else if (answer.execution !== undefined)
    say(`drowse status --watch follows it. ${answer.look?.console ?? ''}`.trim());
  return answer.state === 'awake-degraded' ? EXIT.degraded : EXIT.done;
}

/** What people start by a workflow of its own, and how that is said. */
const BEGINS = {
  bootstrap: 'The cluster is made: control plane, nodes, platform.',
  'install-platform': 'The platform is brought to what its tree says.',
} as const;

/** Bootstraps the cluster or installs its platform, and follows that to its end. */
export async function start(
  workflow: keyof typeof BEGINS,
  options: WorkflowOptions,
  signal: AbortSignal,
): Promise<number> {
  const target = targetOf(options);
  const say = speaker(options, target);
  const api = await WakeApi.connect(target, signal);
  const execution = await startWorkflow(target, workflow);
  say(BEGINS[workflow]);
  if (!options.follow) {
    if (options.json) console.log(JSON.stringify({ execution }));
    else say('drowse status --watch follows it.');
    return EXIT.done;
  }
  return followToEnd(workflow, execution, { target, api, options, signal });
}

interface Work {
  target: Target;
  api: WakeApi;
  options: WorkflowOptions;
  signal: AbortSignal;
}

async function followToEnd(
  workflow: 'wake' | 'sleep' | keyof typeof BEGINS,
  execution: string,
  { target, api, options, signal }: Work,
): Promise<number> {
  const look = (): Promise<Status> => api.status();
  // With --json the answer alone goes to the output.
  const progress = new Progress(options.json ? process.stderr : process.stdout);
  try {
    const found = await follow(workflow, execution, { look, ended: lookAtEnd(target, execution), progress, signal });
    if (options.json) console.log(JSON.stringify(found));
    for (const { pool, reason } of found.degraded ?? [])
      progress.print(`  ${progress.color.yellow(`${pool}: ${reason}`)}`);
    return found.state === 'awake-degraded' ? EXIT.degraded : EXIT.done;
  } catch (error) {
    if (signal.aborted) console.error(`\nThe ${workflow} goes on. drowse status --watch shows it.`);
    throw error;
  }
}

function speaker({ json }: TargetOptions, { description }: Target): (line: string) => void {
  const say = (line: string): void => (json ? console.error(line) : console.log(line));
  say(description);
  return say;
}
