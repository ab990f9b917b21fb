import { paginateDescribeSessions } from '@aws-sdk/client-ssm';
import * as z from 'zod';
import { errorInWords } from '../../core/decisions/error-words';
import { LOOK_MINUTES, type Sign, WINDOW_MINUTES } from '../../core/schedule/idle';
import type { idleEnv } from '../../core/schedule/idle';
import { describeNodes, LIVE_STATES } from '../shared/ec2/instances';
import { logger } from '../shared/clients/logger';
import { commandKey, type RunCommandDeps, runOnSeat, type SeatCommand } from '../shared/commands/run-command';

/** When the cluster counts as idle. */
export type IdleConfig = z.output<typeof idleEnv>['IDLE'];

/** What measure-activity finds; null where it could not find out. */
const activity = z.object({
  /** Requests to the ingress in the window. */
  requests: z.number().nullable(),
  /** Highest use of any GPU in the window, in percent; 0 without a GPU node. */
  gpuPercent: z.number().nullable(),
  /** Jobs that run. */
  jobs: z.int().nullable(),
  /** Pods with one of the labels that run, or are about to. */
  pods: z.int().nullable(),
});
type Activity = z.output<typeof activity>;

const SOURCES = ['requests', 'gpuPercent', 'jobs', 'pods'] as const;

/**
 * What the last look's command has found. It was sent five minutes ago: nobody waits for it, and one that has not come to an
 * end by now, or was never sent, is not known.
 * @param last the look before this one
 */
export async function findUse(
  deps: RunCommandDeps,
  idle: IdleConfig,
  { look, last }: { look: number; last: number | undefined },
): Promise<Sign[]> {
  const command = measure(idle, last ?? look);
  const sent = await deps.store.readCommand(commandKey(command));
  // Looks drift by a minute: one may be left out, and the window of the next reaches as far.
  if (!sent || last === undefined || look - last > WINDOW_MINUTES / LOOK_MINUTES)
    return SOURCES.map((source) => ({ source, state: 'unknown', detail: 'not measured yet' }));
  try {
    const found = await runOnSeat(deps, command);
    return SOURCES.map((source) => signOf(source, found[source], idle));
  } catch (error) {
    logger.warn('Activity is not known', error as Error);
    return SOURCES.map((source) => ({ source, state: 'unknown', detail: errorInWords((error as Error).name) }));
  }
}

/** Has a seat measure for the next look; one that can't be reached is found out by that. */
export async function measureUse(deps: RunCommandDeps, idle: IdleConfig, look: number): Promise<void> {
  try {
    await runOnSeat(deps, measure(idle, look));
  } catch (error) {
    logger.info('Activity is being measured', { answer: (error as Error).message });
  }
}

/** Sessions of people on the cluster's nodes: a shell, or a tunnel to the API. */
export async function findSessions({ cluster, ec2, ssm }: RunCommandDeps): Promise<Sign> {
  const nodes = new Set((await describeNodes(ec2, cluster, LIVE_STATES)).map(({ id }) => id));
  let count = 0;
  for await (const { Sessions = [] } of paginateDescribeSessions({ client: ssm }, { State: 'Active' })) {
    count += Sessions.filter(({ Target = '' }) => nodes.has(Target)).length;
  }
  return { source: 'sessions', state: count > 0 ? 'active' : 'idle', detail: `${count} sessions on its nodes` };
}

function measure({ podLabels }: IdleConfig, look: number): SeatCommand<typeof activity> {
  return {
    // No execution: a look stands for itself.
    execution: `idle-${look}`,
    command: 'measure-activity',
    parameters: { WindowMinutes: String(WINDOW_MINUTES), PodLabels: podLabels.join(',') || 'none' },
    executionSeconds: 120,
    result: activity,
  };
}

function signOf(source: keyof Activity, found: number | null, { requestsPerMinute, gpuPercent }: IdleConfig): Sign {
  if (found === null) return { source, state: 'unknown', detail: `${source} could not be found out` };
  const idleUpTo = { requests: requestsPerMinute * WINDOW_MINUTES, gpuPercent, jobs: 0, pods: 0 }[source];
  return { source, state: found > idleUpTo ? 'active' : 'idle', detail: `${source}: ${found}` };
}
