import { CARE_MINUTES } from '../core/decisions/look-after';
import { parseConfig } from '../lib/config/load';
import { LAMBDA_GB, NO_USAGE, priceOf, sumOf, times, type Usage } from '../core/cost/orchestration';
import { apiEvent, NO_CONTEXT } from '../sim/api-event';
import type { NodePlan } from '../sim/nodes';
import { seconds } from '../sim/virtual-time';
import { simulate, type Twin } from '../sim/run';
import { environmentOf, makeStep } from '../sim/steps';
import { handler as getStatus } from '../lambdas/get-status/handler';
import { withClients } from '../lambdas/shared/clients/clients';
import { logger } from '../lambdas/shared/clients/logger';
import { TAG } from '../core/config/names';

/** What the product promises. */
const LIMITS = { transitionsOfAPair: 400, usdAMonth: 0.5 };

/** The default cluster, asleep for two spells a day. */
const CONFIG = `
schedules:
  - { name: noon, days: [mon, tue, wed, thu, fri, sat, sun], sleep: '12:00', wake: '13:00' }
  - { name: night, days: [mon, tue, wed, thu, fri, sat, sun], sleep: '19:00', wake: '08:00' }
`;
const PAIRS_A_DAY = 2;
const AWAKE_HOURS_A_DAY = 10;
const DAYS = 30;

/**
 * Nodes as they boot in real life, from public images without anything baked in (s): a seat's API answers about a minute
 * after its instance runs, a GPU node needs two and a half.
 */
const REAL_LIFE: Record<'seat' | 'pool', NodePlan> = {
  seat: { boot: 30, runtime: 20, last: 15 },
  pool: { boot: 100, runtime: 45, last: 8 },
};

/** What a function that was not used for a while takes before its handler runs (ms): billed as well. */
const COLD_START_MS = 500;
/** After so long asleep most looks ask the table alone (s). */
const SETTLED_SECONDS = 3600;
/** How often somebody who waits for a wake asks for the status (s). */
const POLL_SECONDS = 5;
/** How often it is looked whether the cluster is as it should be. */
const LOOKS_AN_HOUR = 60 / CARE_MINUTES;

/** What the workflows of the default cluster use, measured in the twin with real latencies, and what that costs. */
export async function measureOrchestration() {
  const { pair, snapshot, idleSnapshot, status, look, idleLook, wakeSeconds } = await simulate(
    parseConfig(CONFIG),
    measure,
  );
  const polls = Math.ceil(wakeSeconds / POLL_SECONDS);
  const fullPair = sumOf(pair, times(polls, status), { ...NO_USAGE, schedulerInvocations: 2, emails: 2 });
  const awake = DAYS * AWAKE_HOURS_A_DAY;
  const asleep = DAYS * (24 - AWAKE_HOURS_A_DAY);
  const parts = {
    pairs: times(PAIRS_A_DAY * DAYS, fullPair),
    snapshots: sumOf(times(awake, snapshot), times(asleep, idleSnapshot)),
    looks: times(LOOKS_AN_HOUR, sumOf(times(awake, look), times(asleep, idleLook))),
  };
  const { items, total } = priceOf(sumOf(...Object.values(parts)));
  return {
    ok: pair.transitions <= LIMITS.transitionsOfAPair && total <= LIMITS.usdAMonth,
    transitionsOfAPair: pair.transitions,
    limit: LIMITS.transitionsOfAPair,
    pair: rounded({ ...pair }),
    usdAMonth: round(total),
    usdLimit: LIMITS.usdAMonth,
    usdByPart: rounded(Object.fromEntries(Object.entries(parts).map(([part, usage]) => [part, priceOf(usage).total]))),
    usdByService: rounded(items),
  };
}

async function measure(twin: Twin) {
  twin.model.nodes.plan = ({ tags }) => REAL_LIFE[tags[TAG.role] === 'seat' ? 'seat' : 'pool'];
  await succeed(twin, 'bootstrap');
  const snapshot = await usageOf(twin, () => succeed(twin, 'snapshot-etcd'));
  const sleep = await usageOf(twin, () => succeed(twin, 'sleep'));
  const idleSnapshot = await usageOf(twin, () => succeed(twin, 'snapshot-etcd'));
  await seconds(SETTLED_SECONDS);
  const idleLook = await usageOf(twin, () => lookAfter(twin));
  let wakeSeconds = 0;
  const wake = await usageOf(twin, async () => {
    const startedAt = Date.now();
    await succeed(twin, 'wake');
    wakeSeconds = (Date.now() - startedAt) / 1000;
  });
  const status = await usageOf(twin, () => invoke(twin, 'get-status', () => askStatus(twin)));
  const look = await usageOf(twin, () => lookAfter(twin));
  return {
    pair: sumOf(sleep, wake),
    snapshot: { ...snapshot, schedulerInvocations: 1 },
    idleSnapshot: { ...idleSnapshot, schedulerInvocations: 1 },
    status: { ...status, apiRequests: 1 },
    look: { ...look, schedulerInvocations: 1 },
    idleLook: { ...idleLook, schedulerInvocations: 1 },
    wakeSeconds,
  };
}

function lookAfter(twin: Twin): Promise<void> {
  return invoke(twin, 'look-after', () => makeStep(twin.model, 'look-after')({ execution: 'bench' }));
}

async function succeed(twin: Twin, workflow: string): Promise<void> {
  const { status, cause = '' } = await twin.run(workflow);
  if (status !== 'SUCCEEDED') throw new Error(`${workflow} ended as ${status}: ${cause}`);
}

function askStatus({ model }: Twin): Promise<unknown> {
  const ask = withClients(model.clients('get-status'), () => getStatus.instance(environmentOf(model)));
  return ask(apiEvent('GET /status'), NO_CONTEXT);
}

/** A function that no workflow calls. */
async function invoke({ workflows }: Twin, step: string, run: () => Promise<unknown>): Promise<void> {
  logger.setLogLevel('SILENT');
  const startedAt = Date.now();
  await run();
  workflows.invocations.push({ step, ms: Date.now() - startedAt, bytes: 0 });
}

/** What is used while something runs, by everything that runs then: a wake's joins and its platform included. */
async function usageOf({ model, workflows }: Twin, run: () => Promise<void>): Promise<Usage> {
  const known = new Set(model.stepFunctions.executions.keys());
  const [calls, invocations] = [model.calls.all.length, workflows.invocations.length];
  await run();
  const own = workflows.all().filter(({ arn }) => !known.has(arn));
  await Promise.all(own.map(({ over }) => over));
  const invoked = workflows.invocations.slice(invocations);
  const dynamo = model.calls.all.slice(calls).filter(({ service }) => service === 'dynamodb');
  const reads = dynamo.filter(({ action }) => action === 'Get');
  const warmMs = invoked.reduce((sum, { ms }) => sum + ms, 0);
  const coldMs = new Set(invoked.map(({ step }) => step)).size * COLD_START_MS;
  return {
    ...NO_USAGE,
    transitions: own.reduce((sum, { transitions }) => sum + transitions, 0),
    lambdaRequests: invoked.length,
    lambdaGbSeconds: ((warmMs + coldMs) / 1000) * LAMBDA_GB,
    dynamoWrites: (dynamo.length - reads.length) * unitsOf(model.record, 1024),
    dynamoReads: reads.length * unitsOf(model.record, 4096),
  };
}

/** No item is larger than the cluster's, which nearly all calls are about. */
function unitsOf(item: object, bytes: number): number {
  return Math.ceil(JSON.stringify(item).length / bytes);
}

function rounded(figures: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, round(value)]));
}

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}

if (require.main === module) {
  void measureOrchestration().then((figures) => {
    console.log(JSON.stringify(figures, null, 2));
    process.exitCode = figures.ok ? 0 : 1;
  });
}
