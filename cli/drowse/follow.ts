import { setTimeout as pause } from 'node:timers/promises';
import { CommandFailed, EXIT } from '../terminal/errors';
import type { Progress } from '../terminal/progress';
import { describeEstimate, describeFailure, describeSteps } from './describe';
import type { Status } from './status-answer';
import type { Ended } from './workflows';

/** Between two looks (ms): a tenth of what the API's throttle lets through. */
const LOOK_MS = 2_000;

export interface FollowOptions {
  look: () => Promise<Status>;
  /** How the execution has ended; undefined while it runs. */
  ended: () => Promise<Ended | undefined>;
  progress: Progress;
  signal: AbortSignal;
  /** Between two looks (ms). */
  lookMs?: number;
}

/**
 * Shows a workflow's steps as they come and go, until its execution has ended.
 * @param execution its ARN
 * @returns the cluster as it is then
 * @throws CommandFailed if it has failed, with step, cause and where to look; AbortError once the signal aborts
 */
export async function follow(workflow: string, execution: string, options: FollowOptions): Promise<Status> {
  const { look, ended, progress, signal, lookMs = LOOK_MS } = options;
  const steps = new StepLines(progress);
  progress.start(`${workflow}: begins`);
  try {
    for (;;) {
      // In this order: what the workflow records last is then in what is shown.
      const end = await ended();
      const status = await look();
      if (end) {
        steps.end();
        return finish(workflow, execution, end, status, progress);
      }
      const { running } = status;
      if (running?.execution === execution) steps.show(running);
      progress.update(`${workflow}: ${describeNow(status, execution)}`);
      await pause(lookMs, undefined, { signal });
    }
  } finally {
    progress.stop();
  }
}

/** A line for each step that has ended. */
class StepLines {
  private underWay = new Map<string, number>();

  constructor(private readonly progress: Progress) {}

  show({ states }: NonNullable<Status['running']>): void {
    const underWay = new Map(states.map(({ name, since }) => [name, Date.parse(since)]));
    for (const [name, since] of this.underWay) {
      if (!underWay.has(name)) this.line(name, `${String(Math.round((Date.now() - since) / 1000))} s`);
    }
    this.underWay = underWay;
  }

  end(): void {
    for (const name of this.underWay.keys()) this.line(name, '');
  }

  private line(name: string, took: string): void {
    const { color } = this.progress;
    this.progress.print(`    ${color.dim('·')} ${name} ${color.dim(took)}`.trimEnd());
  }
}

function describeNow({ running }: Status, execution: string): string {
  if (running === undefined) return 'begins';
  if (running.execution === execution) {
    const { estimate } = running;
    return `${describeSteps(running, Date.now())}${estimate ? `; ${describeEstimate(estimate)}` : ''}`;
  }
  return `waits until ${running.workflow} has ended`;
}

function finish(workflow: string, execution: string, end: Ended, status: Status, progress: Progress): Status {
  const { failure, state } = status;
  if (end.status === 'SUCCEEDED') {
    progress.done(`${workflow}: the cluster is ${state}`);
    return status;
  }
  progress.fail(`${workflow} ${end.status.toLowerCase()}`);
  const message =
    failure?.execution === execution
      ? describeFailure(failure)
      : `${workflow} ended as ${end.status}: ${[end.error, end.cause].filter(Boolean).join(': ')}`;
  const exitCode = end.error === 'ClusterBusy' ? EXIT.busy : EXIT.failed;
  throw new CommandFailed(
    message,
    'drowse status shows how the cluster is now; docs/runbook.md what to do.',
    '',
    exitCode,
  );
}
