import { intentOf } from '../../core/record/intent';
import { TAG } from '../../core/config/names';
import { recordOf } from '../../core/record/cluster-record';
import { serviceFault, throttling } from '../../sim/aws/errors';
import type { Fault } from '../../sim/aws/faults';
import type { NodePlan } from '../../sim/nodes';
import type { Twin } from '../../sim/run';
import { runSchedules } from '../../sim/schedules';
import { seconds } from '../../sim/virtual-time';
import { liveAwake } from '../lambdas/support';
import { expectAsleep, expectAwake } from './expectations';

/** How long things go wrong (minutes). */
const TROUBLE = 60;
/** After so long without faults the cluster is what it should be, or somebody knows (minutes). */
const SOON = 15;
/** After so long it is what it should be, unless somebody was asked to help (minutes). */
const LATE = 180;

const CONFIGS = [
  `pools: [{ name: web, instanceTypes: [t3.large], min: 1, desired: 1, max: 2, ingress: true }]`,
  `
pools:
  - { name: web, instanceTypes: [t3.large], min: 1, desired: 1, max: 2, ingress: true }
  - { name: batch, instanceTypes: [m7i.large], min: 1, desired: 1, max: 2, sleep: stop }
`,
  `
controlPlane: { seats: 3 }
pools: [{ name: web, instanceTypes: [t3.large], min: 1, desired: 1, max: 2, ingress: true }]
`,
];

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What goes wrong, and what people do, at one moment. */
type Incident = (twin: Twin, pick: <T>(of: readonly T[]) => T) => void;

const lambdaError = (name: string) => () => Object.assign(new Error(name), { name });
const network = () => Object.assign(new Error('connect ECONNREFUSED'), { name: 'AwsUnavailable' });

const FAULTS: readonly Fault['with'][] = [
  'lost-answer',
  'after-effect',
  () => serviceFault(),
  throttling,
  network,
  { seconds: 30 },
];
const LAMBDA_FAULTS: readonly Fault['with'][] = [
  'hang',
  lambdaError('Lambda.Unknown'),
  lambdaError('Runtime.ExitError'),
  lambdaError('Lambda.TooManyRequestsException'),
];
const SERVICES = ['ec2', 'autoscaling', 'elasticloadbalancing', 'ssm', 'dynamodb', 'states', 'sns'];
const ILL: readonly Partial<NodePlan>[] = [
  { failsWith: 'test' },
  { hangsIn: 'booting' },
  { hangsIn: 'control-plane' },
  { hangsIn: 'joining' },
];

const running = (twin: Twin) => twin.workflows.all().filter(({ status }) => status === 'RUNNING');

/** An instance that is none of the cluster's. */
const FOREIGN = 'i-0somebody0else0000';

const INCIDENTS: Readonly<Record<string, Incident>> = {
  sleep: ({ workflows }) => void workflows.start('sleep'),
  wake: ({ workflows }) => void workflows.start('wake'),
  stop: (twin, pick) => running(twin).length > 0 && pick(running(twin)).stop(),
  'stop a join': (twin, pick) => {
    const joins = running(twin).filter(({ workflow }) => workflow === 'join-node');
    if (joins.length > 0) pick(joins).stop();
  },
  'lose an instance': ({ model }, pick) => {
    const live = model.ec2.in('running', 'pending');
    if (live.length > 0) model.ec2.terminate(pick(live).id);
  },
  'lose the address': ({ model }) => void (model.ec2.address!.instanceId = undefined),
  'ill nodes': ({ model }, pick) => {
    const { plan } = model.nodes;
    const ill = pick(ILL);
    const role = pick(['seat', 'pool']);
    let count = pick([1, 2, 6]);
    model.nodes.plan = (instance) => {
      const is = instance.tags[TAG.role] === role && count > 0;
      if (is) count -= 1;
      return { ...plan(instance), ...(is && ill) };
    };
  },
  'a group that somebody resized': ({ model }, pick) => {
    const group = pick([...model.autoScaling.groups.values()]);
    const size = pick([0, 1]);
    model.autoScaling.resize(group, 0, size, size);
  },
  'no capacity': ({ model }, pick) =>
    void (pick([...model.autoScaling.groups.values()]).noCapacity = 'InsufficientInstanceCapacity'),
  'snapshots cannot be stored': ({ model }) => {
    const result = { ok: false, error: 'SnapshotNotStored', message: 'cut' };
    model.ssm.documents.set('drowse-snapshot-etcd', () => ({ seconds: 1, result }));
  },
  'agents that do not answer': ({ model }) => void (model.ssm.agentsAnswer = false),
  'commands that are not delivered': ({ model }) => void (model.ssm.delivers = false),
  'stale reads': ({ model }, pick) => void (model.ec2.lag = pick([3, 10, 30])),
  'events that are lost, late or doubled': ({ workflows }, pick) =>
    void (workflows.delivery = () => pick([[], [1500], [300_000], [1500, 2500], [900_000]])),
  'no more load balancers': ({ model }) =>
    model.faults.add({ action: 'CreateLoadBalancer', with: lambdaError('TooManyLoadBalancers') }),
  'a fault of a service': ({ model }, pick) =>
    model.faults.add({ service: pick(SERVICES), with: pick(FAULTS), times: pick([1, 5, 40]) }),
  'an execution that runs out of time': (twin, pick) => running(twin).length > 0 && pick(running(twin)).timeOut(),
  'cold starts': ({ workflows }, pick) => void (workflows.coldStartMs = pick([500, 3000, 8000])),
  'attempts of the SDK that fail': ({ model }, pick) =>
    model.faults.add({
      service: pick(SERVICES),
      with: pick([() => serviceFault(), throttling, network]),
      times: pick([1, 4, 30]),
      eachAttempt: true,
    }),
  'two seats at once': ({ model }) => {
    const seats = model.ec2.in('running').filter(({ tags }) => tags[TAG.role] === 'seat');
    for (const { id } of seats.slice(0, 2)) model.ec2.terminate(id);
  },
  'a volume that does not come free': ({ model }, pick) => void (pick(model.ec2.volumes).stuck = true),
  'a volume that somebody else attached': ({ model }, pick) => {
    const volume = pick(model.ec2.volumes);
    const { holder } = volume;
    if (holder !== undefined && model.ec2.instances.has(holder)) model.ec2.terminate(holder);
    Object.assign(volume, { holder: FOREIGN, state: 'in-use' });
  },
  'a fault of Lambda': ({ model }, pick) =>
    model.faults.add({ service: 'lambda', with: pick(LAMBDA_FAULTS), times: pick([1, 3, 10]) }),
};

/** What one life came to; undefined if all was well. */
export async function liveOnce(seed: number): Promise<string | undefined> {
  const random = randomOf(seed);
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
  const told: string[] = [];
  return liveAwake(pick(CONFIGS), async (twin) => {
    const { model } = twin;
    const { plan } = model.nodes;
    const { delivery } = twin.workflows;
    const snapshots = model.ssm.documents.get('drowse-snapshot-etcd')!;
    const events = pick([true, false]);
    const time = runSchedules(twin, (TROUBLE + 2 * SOON + LATE) / 60, undefined, events);
    if (random() < 0.5) twin.workflows.start(pick(['sleep', 'wake']));
    const incidents = 2 + Math.floor(random() * 7);
    for (let minute = 0, count = 0; count < incidents && minute < TROUBLE; count += 1) {
      const wait = Math.floor(random() * 15);
      await seconds(wait * 60 + Math.floor(random() * 60));
      minute += wait + 1;
      const name = pick(Object.keys(INCIDENTS));
      told.push(`${String(minute)} min: ${name}`);
      INCIDENTS[name]!(twin, pick);
    }
    // Faults stop soon after the last incident, or go on for a while.
    await seconds(pick([60, 300, 1200]));
    model.faults.clear();
    Object.assign(model.ssm, { agentsAnswer: true, delivers: true });
    model.ec2.lag = 0;
    twin.workflows.coldStartMs = 0;
    for (const volume of model.ec2.volumes) {
      volume.stuck = false;
      if (volume.holder === FOREIGN) Object.assign(volume, { holder: undefined, state: 'available' });
    }
    twin.workflows.delivery = delivery;
    model.nodes.plan = plan;
    model.ssm.documents.set('drowse-snapshot-etcd', snapshots);
    for (const group of model.autoScaling.groups.values()) group.noCapacity = undefined;
    await seconds(SOON * 60);
    const soon = settled(twin);
    const known = soon === undefined || hears(twin).length > 0;
    await time;
    await seconds(1);
    const late = settled(twin);
    const { since } = intentOf(recordOf(model.record))!;
    const asked = model.sns.messages
      .filter(({ at, subject }) => at >= since && ASKS.test(subject))
      .map(({ subject }) => subject);
    // What SNS has answered to nobody it may deliver twice.
    const lostNews = told.some((one) => one.endsWith('a fault of a service'));
    const problems = [
      ...(known ? [] : [`after ${String(SOON)} minutes nobody knows: ${soon}`]),
      ...(late === undefined || asked.length > 0 ? [] : [`after ${String(LATE)} minutes: ${late}`]),
      ...(new Set(asked).size === asked.length || lostNews ? [] : [`asked more than once: ${asked.join(', ')}`]),
      ...(model.ec2.address && model.ec2.volumes.length > 0 ? [] : ['what must be kept is gone']),
    ];
    return problems.length === 0 ? undefined : [`seed ${String(seed)}`, ...told, ...problems].join('\n  ');
  });
}

/** News after which nothing is tried by itself any more. */
const ASKS = /needs you|launches no more|\((LaunchesHeld|LaunchRefused)\)/;

/** What people were told since the last good news, or since they asked for what is wanted now, if it is bad news. */
function hears({ model }: Twin): string[] {
  const { since } = intentOf(recordOf(model.record))!;
  const messages = model.sns.messages.filter(({ at }) => at >= since);
  return messages
    .slice(messages.findLastIndex(({ subject }) => /is (asleep|awake)$/.test(subject)) + 1)
    .map(({ subject }) => subject)
    .filter((subject) => /failed|needs you|awake-degraded|launches no more/.test(subject));
}

/** Undefined if the cluster is what it is to be; else what is wrong. */
function settled(twin: Twin): string | undefined {
  const record = recordOf(twin.model.record);
  try {
    if (intentOf(record)?.state === 'asleep') expectAsleep(twin, twin.model.ec2.in('stopped').length);
    else expectAwake(twin);
    return undefined;
  } catch (error) {
    return `${record.state} instead of ${intentOf(record)?.state ?? ''}: ${(error as Error).message.split('\n').slice(0, 12).join(' ')}`;
  }
}
