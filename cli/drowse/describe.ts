import type { ClusterConfig } from '../../core/config/schema';
import { isAlwaysOn } from '../../core/config/warnings';
import { describePrices, estimateCost } from '../../core/cost/estimate';
import { HOURS_PER_MONTH } from '../../core/cost/prices';
import { whoAsked } from '../../core/words';
import type { colors } from '../terminal/colors';
import { tableOf } from '../terminal/table';
import type { Estimate, Status } from './status-answer';

type Colors = ReturnType<typeof colors>;

/** `42 s`, `7 min`, `3 h 20 min`, `2 days`: how long ago, or how long it takes. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 90) return `${String(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${String(minutes)} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${String(hours)} h` : `${String(hours)} h ${String(minutes % 60)} min`;
  return `${String(Math.round(hours / 24))} days`;
}

/** `WaitForApi 12 s of about 20 s`, for each state under way. */
export function describeSteps({ states }: NonNullable<Status['running']>, now: number): string {
  return states
    .map(({ name, since, usualSeconds }) => {
      const usual = usualSeconds === undefined ? '' : ` of about ${duration(usualSeconds * 1000)}`;
      return `${name} ${duration(now - Date.parse(since))}${usual}`;
    })
    .join(', ');
}

/** `about 2 min more, 4 min at most as a rule`; in words if it takes longer than ever. */
export function describeEstimate({ secondsLeft, secondsLeftAtMost, runs, late }: Estimate): string {
  if (late) return `longer than any of the last ${String(runs)} runs`;
  const [left, most] = [secondsLeft, secondsLeftAtMost].map((seconds) => duration(seconds * 1000)) as [string, string];
  return left === most ? `about ${left} more` : `about ${left} more, ${most} at most as a rule`;
}

/** All that a person asks of a cluster, most urgent first. */
export function describeStatus(status: Status, config: ClusterConfig | undefined, color: Colors, now: number): string {
  return [
    describeState(status, color, now),
    ...describeWork(status, now),
    ...describeCost(status, config),
    ...describeProblems(status, color),
    ...describeAccess(status),
    describeNodes(status, now),
    ...describeAhead(status),
  ]
    .filter((line) => line !== '')
    .join('\n');
}

function describeState({ state, since, elasticIp }: Status, color: Colors, now: number): string {
  const paint = state === 'awake' ? color.green : state === 'asleep' ? color.cyan : color.yellow;
  const from = since === undefined ? '' : ` for ${duration(now - Date.parse(since))} (since ${since})`;
  const address = elasticIp?.publicIp === undefined ? '' : `\n  Elastic IP ${elasticIp.publicIp}`;
  return `${color.bold(paint(state))}${from}${address}`;
}

function describeWork({ running, waiting }: Status, now: number): string[] {
  const queue = waiting.map(({ workflow, since, behind, estimate }) => {
    const left = estimate ? `: ${describeEstimate(estimate)}` : '';
    return `  ${workflow} waits since ${since}${behind ? ` until ${behind.workflow} has ended` : ' for its turn'}${left}`;
  });
  if (!running) return queue;
  const { workflow, requestedBy, reason, since, usualSeconds, estimate, ended, console: address } = running;
  if (ended !== undefined) {
    return [`  ${workflow} was cut off (${ended}): the next sleep or wake takes over from it`, ...queue];
  }
  const elapsed = now - Date.parse(since);
  const usual = usualSeconds === undefined ? '' : `, ${duration(usualSeconds * 1000)} as a rule`;
  return [
    `  ${workflow} by ${whoAsked(requestedBy)}${reason === undefined ? '' : ` (${reason})`}, for ${duration(elapsed)}${
      estimate ? `, ${describeEstimate(estimate)}` : usual
    }`,
    `  now: ${describeSteps(running, now)}`,
    ...(address === undefined ? [] : [`  ${address}`]),
    ...queue,
  ];
}

function describeCost({ cost }: Status, config: ClusterConfig | undefined): string[] {
  const now = cost && `${cost.unknown.length > 0 ? 'at least ' : ''}$${cost.perHour.toFixed(3)} an hour now`;
  if (!config) return now === undefined ? [] : [`  costs ${now}`];
  const estimate = estimateCost(config);
  const { sum } = describePrices(config, estimate);
  const line = `  costs ${sum}$${estimate.awakePerHour.toFixed(2)} an hour awake, $${estimate.asleepPerMonth.toFixed(2)} a month asleep`;
  const lines = [now === undefined ? line : `${line}; ${now}`];
  if (!isAlwaysOn(config)) return lines;
  const month = (estimate.awakePerHour * HOURS_PER_MONTH).toFixed(0);
  return [...lines, `  nothing puts it to sleep: ${sum}$${month} a month (add schedules, or turn idle on)`];
}

function describeProblems(status: Status, color: Colors): string[] {
  const { failure, degraded = [], shortages = [], unreachable, warnings = [] } = status;
  return [
    ...[...degraded, ...shortages].map(({ pool, reason }) => color.yellow(`  ${pool}: ${reason}`)),
    ...(unreachable === undefined ? [] : [color.yellow(`  ${unreachable}`)]),
    ...warnings.map((warning) => color.yellow(`  warning: ${warning}`)),
    ...(failure ? [color.red(`  ${describeFailure(failure)}`)] : []),
  ];
}

/** Where the app is and how to reach the Kubernetes API; nothing of the latter while there is none. */
function describeAccess({ app, kubernetesApi, nodes }: Status): string[] {
  const { url, answers } = app ?? {};
  const seen = answers === undefined ? '' : answers ? ', which answered at the last wake' : '';
  const seat = nodes.some(({ role, phase }) => role === 'seat' && phase === 'ready');
  return [
    ...(url === undefined ? [] : [`  app ${url}${seen}`]),
    ...(kubernetesApi && seat
      ? [
          `  kubectl: ${kubernetesApi.command} (${kubernetesApi.through.replace('-', ' ')}), or drowse kubectl -- get nodes`,
        ]
      : []),
  ];
}

/** What failed, where, why, and where to look. */
export function describeFailure({
  workflow,
  step,
  error,
  cause,
  at,
  log,
  runbook,
}: NonNullable<Status['failure']>): string {
  const look = [log && `log: ${log}`, runbook && `what to do: ${runbook}`].filter(Boolean).join('; ');
  return `${workflow} failed at ${step} (${at}): ${error}: ${cause}${look === '' ? '' : `\n  ${look}`}`;
}

/** Nodes as a table; what they say of themselves is shown as it is. */
export function describeNodes({ nodes }: Pick<Status, 'nodes'>, now: number): string {
  if (nodes.length === 0) return '';
  const rows = nodes.map(({ id, type, role, seat, pool, state, phase, phaseAt, publicIp = '' }) => {
    const since = phaseAt === undefined ? '' : ` for ${duration(now - Date.parse(phaseAt))}`;
    const is = role === 'seat' ? `seat ${seat ?? '?'}` : (pool ?? '?');
    // Of one that runs the phase says all.
    const how = state === 'running' ? `${phase}${since}` : `${state}, ${phase}${since}`;
    return [id, is, type, how, publicIp];
  });
  return tableOf(['node', 'is', 'type', 'phase', ''], rows);
}

function describeAhead({ schedule: { next, keepAwakeUntil, idleSleepAt, postponedUntil } }: Status): string[] {
  return [
    ...(keepAwakeUntil === undefined ? [] : [`kept awake until ${keepAwakeUntil}`]),
    ...(idleSleepAt === undefined ? [] : [`nobody uses it: sleeps at ${idleSleepAt}`]),
    ...(postponedUntil === undefined ? [] : [`no sleep for lack of use before ${postponedUntil}`]),
    ...next.map(({ local, timeZone, workflow, schedule, skipped }) => {
      const left = skipped ? `, left out: ${skipped.message}` : '';
      return `next ${workflow} ${local.replace('T', ' ')} ${timeZone} (${schedule})${left}`;
    }),
  ];
}
