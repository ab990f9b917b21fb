import type { Tries, Wanted } from '../record/cluster-record';
import type { ClusterState, Workflow } from '../record/contracts';
import { FAILED, type REASONS } from '../record/phases';
import { classOf } from './failure-classes';

/** An instance of the cluster, as far as it is looked after. Times in epoch ms. */
export interface SeenNode {
  id: string;
  role: 'seat' | 'pool';
  ingress: boolean;
  /** Its group; undefined if none has it. */
  group: string | undefined;
  /** EC2's state. */
  state: string;
  /** Auto Scaling's state: `Pending:Wait`, `InService`, `Standby`, …; empty without a group. */
  lifecycle: string;
  /** What the node says of itself. */
  phase: string;
  /** Since when it has come no further: its last phase, or its start. */
  since: number;
  /** True if a join-node execution has it. */
  joining: boolean;
}

/** A group of the cluster. */
export interface SeenGroup {
  name: string;
  role: 'seat' | 'pool';
  desired: number;
  /** The largest size that it may have now, and by `cluster.yaml`. */
  max: number;
  configuredMax: number;
}

/** A schedule's latest event, if it has had no effect. */
export interface MissedEvent {
  workflow: 'sleep' | 'wake';
  schedule: string;
  /** UTC ISO instant of the event. */
  at: string;
}

/** Error of a workflow that somebody stopped. */
export const STOPPED = 'ExecutionAborted';

/** What is: by the record, and by AWS. Times in epoch ms. */
export interface Seen {
  now: number;
  /** What the cluster is to be; undefined if it was never bootstrapped. */
  intent: Wanted | undefined;
  state: ClusterState;
  /** Since when it is in that state. */
  since: number;
  /** Who holds the cluster; `over` if that execution has ended. */
  lease: { owner: string; workflow: Workflow; over: boolean } | undefined;
  /** How the last workflow failed. */
  failure: { workflow: Workflow; error: string; at: number } | undefined;
  /** Since when nodes may be cordoned, UTC ISO. */
  drainedAt: string | undefined;
  /** True if the last wake ended without some pools. */
  degraded: boolean;
  /** True if a recover-pools execution is under way. */
  recovering: boolean;
  missed: MissedEvent | undefined;
  /** When schedules wake the cluster next. */
  nextWake: number | undefined;
  keepAwakeUntil: number | undefined;
  groups: readonly SeenGroup[];
  /** Instances that exist, stopped ones included. */
  nodes: readonly SeenNode[];
  /** Where the Elastic IP is; undefined if it was not found. */
  address: { holder: string | undefined } | undefined;
  /** The API load balancer, and whether it has its listener; undefined if there is none. */
  balancer: { listens: boolean } | undefined;
  /** True if there is to be one while awake. */
  wantsBalancer: boolean;
  /** What was tried before, by the key of what it was about. */
  tries: Readonly<Record<string, Tries>>;
}

/** What is done about it. */
export type Action =
  | { do: 'record-ending'; owner: string; workflow: Workflow }
  | { do: 'start-missed'; event: MissedEvent }
  | { do: 'start'; workflow: 'sleep' | 'wake' | 'bootstrap' }
  | { do: 'end-node'; id: string; group: string }
  | { do: 'answer-hook'; id: string; group: string; result: 'CONTINUE' | 'ABANDON' }
  | { do: 'give-address'; id: string }
  | { do: 'make-load-balancer' }
  | { do: 'uncordon' }
  | { do: 'recover-pools' }
  | { do: 'wait' };

/** Something that is not as it should be. */
export interface Finding {
  /** What it is about: by it tries are counted. */
  key: string;
  /** What is wrong, for people and the log. */
  what: string;
  action: Action;
  /** True if it is tried on after a person was told: it does no harm, and whoever was told has less to do. */
  goesOn?: boolean;
  /** After so many tries a person is told; `MOST_TRIES` without it. */
  tries?: number;
}

/** What is to be done now: act, or tell a person that acting has not helped. */
export type Decision = { tell: boolean } & Finding;

/** How often it is looked, in minutes. */
export const CARE_MINUTES = 5;

const MINUTE = 60_000;
const inMs = (minutes: readonly number[]) => minutes.map((one) => one * MINUTE);
/** Pauses before each try, and before a person is told that the last did not help (ms). A workflow that fails tells of itself. */
const PAUSES = { workflow: inMs([0, 5, 10, 20, 40, 5]), other: inMs([0, 5, 5, 10, 10, 5]) };
/** Tries before a person is told. */
export const MOST_TRIES = 5;
/** A pause between tries that go on after that (ms). */
const LONG_PAUSE = 40 * MINUTE;
/** After this (ms) tries of what is no longer found are forgotten. */
const FORGOTTEN_AFTER = 60 * MINUTE;

/**
 * Without a word of progress for so long (ms) a node hangs. The longest honest silence is a first boot from a large image, or a driver's
 * install: some four minutes. With a look every five minutes and a new node in three, it is replaced within a quarter of an hour.
 */
export const HANGS_AFTER = 7 * MINUTE;
/** A seat without an instance is told of after so many looks; AWS goes on trying. */
const LOOKS_FOR_SEAT = 2;
/** A hook that is older (ms) has nobody to answer it: its event takes seconds. */
const UNANSWERED_AFTER = 5 * MINUTE;
/** What AWS shows may be so old (ms). */
const SETTLES_AFTER = 2 * MINUTE;
/** A sleep is not worth its trouble if the next wake comes sooner (ms). */
const WORTH_SLEEPING = 30 * MINUTE;
/** recover-pools itself gives up after this (ms), and tells. */
const RECOVERY_ENDS = 12 * 60 * MINUTE;
/** Who stopped a workflow has so long (ms) to start something else before it is tried again. */
const AFTER_A_STOP = 5 * MINUTE;
/** Errors of which no retry helps; whoever reads of them has to do something. */
const HOPELESS = new Set(['LaunchRefused', 'LaunchesHeld']);

/** Reasons of a seat that the next instance would have as well: its volume or its version has to be mended first. */
const OF_THE_STATE = new Set<string>(
  (
    [
      ...['ca-mismatch', 'cluster-exists', 'etcd-newer', 'kubernetes-newer', 'kubernetes-skips-minor'],
      ...['networks-changed', 'seats-removed', 'signing-key-expired', 'state-lost'],
      ...['volume-ambiguous', 'volume-damaged', 'volume-foreign'],
    ] as const satisfies readonly (typeof REASONS)[number][]
  ).map((reason) => `${FAILED}${reason}`),
);

interface Row {
  /** The row's name, for the log. */
  name: string;
  /** Who may hold the cluster meanwhile: nobody, or also whoever wakes it. */
  under: 'nobody' | 'a wake';
  /** What the cluster is to be; either without it. */
  intent?: Wanted['state'];
  finds: (seen: Seen) => readonly Finding[];
}

const runs = ({ state }: SeenNode): boolean => state === 'pending' || state === 'running';
const serves = (node: SeenNode): boolean => node.state === 'running' && node.phase === 'ready';
const isSeat = ({ role }: SeenNode): boolean => role === 'seat';

/** Failed by its own word, or hanging. A pool's node that no API answers yet is to wait. */
function isBroken({ role, state, phase, since }: SeenNode, { nodes, now }: Seen): boolean {
  if (state !== 'running' || phase === 'ready') return false;
  const apiSince = Math.min(...nodes.filter((node) => isSeat(node) && serves(node)).map((seat) => seat.since));
  const from = role === 'seat' ? since : Math.max(since, apiSince);
  return phase.startsWith(FAILED) || now - from > HANGS_AFTER;
}

/** The table: what may be wrong, and what is done about it. Earlier rows come first. */
export const ROWS: readonly Row[] = [
  {
    name: 'a schedule was missed',
    under: 'nobody',
    finds: ({ missed }) =>
      missed
        ? [
            {
              key: `missed#${missed.workflow}#${missed.schedule}#${missed.at}`,
              what: `the ${missed.workflow} of schedule ${missed.schedule}, due at ${missed.at}, did not take place`,
              action: { do: 'start-missed', event: missed },
            },
          ]
        : [],
  },
  {
    name: 'asleep, and something is billed',
    under: 'nobody',
    intent: 'asleep',
    finds: (seen) => {
      const billed = describeBilled(seen);
      const settled = seen.now - seen.since > SETTLES_AFTER;
      return seen.state === 'asleep' && settled && billed !== undefined
        ? [sleepAgain(seen, `while asleep, ${billed}`)]
        : [];
    },
  },
  {
    name: 'a sleep did not succeed',
    under: 'nobody',
    intent: 'asleep',
    finds: (seen) =>
      seen.state === 'asleep' || isLeft(seen) || !isWorthSleeping(seen)
        ? []
        : [sleepAgain(seen, `the cluster is ${seen.state}`)],
  },
  {
    name: 'nodes are cordoned',
    under: 'nobody',
    finds: ({ drainedAt, nodes, state }) =>
      drainedAt !== undefined && state !== 'asleep' && nodes.some((node) => isSeat(node) && serves(node))
        ? [
            {
              key: `uncordon#${drainedAt}`,
              what: 'nodes that a sleep drained take no pods',
              action: { do: 'uncordon' },
              goesOn: true,
            },
          ]
        : [],
  },
  {
    name: 'a seat failed or hangs',
    under: 'nobody',
    intent: 'awake',
    // One at a time: with three seats, ending two would end the quorum.
    finds: (seen) =>
      seen.nodes
        .filter((node) => isSeat(node) && isBroken(node, seen) && !lacksState(seen))
        .slice(0, 1)
        .flatMap(endNode),
  },
  {
    name: 'a wake did not succeed',
    under: 'nobody',
    intent: 'awake',
    finds: (seen) => {
      const { intent, state, failure } = seen;
      if (state !== 'wake-failed' && state !== 'waking') return [];
      if (isLeft(seen) || waitsForSeat(seen) || lacksState(seen)) return [];
      const workflow = failure?.workflow === 'bootstrap' ? 'bootstrap' : 'wake';
      const what = `the cluster is ${state}`;
      return [{ key: `wake#${intent?.since ?? ''}`, what, action: { do: 'start', workflow } }];
    },
  },
  {
    name: 'awake, and put to sleep in part',
    under: 'nobody',
    intent: 'awake',
    finds: ({ intent, state, groups, nodes }) => {
      const shut = groups.filter(({ max, configuredMax }) => max === 0 && configuredMax > 0).map(({ name }) => name);
      const beside = nodes.filter(({ lifecycle }) => lifecycle === 'Standby').map(({ id }) => id);
      if (!state.startsWith('awake') || shut.length + beside.length === 0) return [];
      const what = `${[...shut, ...beside].join(', ')} sleep`;
      return [{ key: `wake#${intent?.since ?? ''}`, what, action: { do: 'start', workflow: 'wake' } }];
    },
  },
  {
    name: 'a pool node that was let in failed or hangs',
    under: 'a wake',
    intent: 'awake',
    finds: (seen) =>
      seen.nodes
        .filter((node) => !isSeat(node) && node.lifecycle === 'InService' && isBroken(node, seen))
        .flatMap(endNode),
  },
  {
    name: 'nobody answers a launch hook',
    under: 'a wake',
    intent: 'awake',
    finds: ({ nodes, now }) =>
      nodes.flatMap((node): Finding[] => {
        const { id, group, lifecycle, joining, since } = node;
        const waits = lifecycle === 'Pending:Wait' && !joining && now - since > UNANSWERED_AFTER;
        if (!waits || group === undefined) return [];
        const result = serves(node) ? 'CONTINUE' : 'ABANDON';
        return [{ key: `hook#${group}`, what: describe(node), action: { do: 'answer-hook', id, group, result } }];
      }),
  },
  {
    name: 'the Elastic IP is on nothing',
    under: 'a wake',
    intent: 'awake',
    finds: ({ address, nodes }) => {
      const heir = nodes.find((node) => node.ingress && serves(node));
      const held = nodes.some((node) => node.id === address?.holder && runs(node));
      if (!address || !heir || held) return [];
      const what = `the Elastic IP is on ${address.holder ?? 'no instance'}`;
      return [{ key: 'address', what, action: { do: 'give-address', id: heir.id }, goesOn: true }];
    },
  },
  {
    name: 'the API has no load balancer',
    under: 'nobody',
    intent: 'awake',
    finds: ({ state, balancer, wantsBalancer }) =>
      wantsBalancer && state.startsWith('awake') && !balancer?.listens
        ? [
            {
              key: 'load-balancer',
              what: `the API load balancer ${balancer ? 'has no listener' : 'is missing'}`,
              action: { do: 'make-load-balancer' },
              goesOn: true,
            },
          ]
        : [],
  },
  {
    name: 'a seat has no instance',
    under: 'nobody',
    intent: 'awake',
    // What a wake went on without was told then, and recover-pools looks for it.
    finds: ({ state, degraded, groups, nodes }) =>
      groups
        .filter(
          ({ name, role, desired }) => role === 'seat' && desired > 0 && !nodes.some(({ group }) => group === name),
        )
        .filter(() => state.startsWith('awake') && !degraded)
        .map(({ name }) => ({
          key: `empty#${name}`,
          what: `${name} has had no instance for ten minutes; AWS goes on trying`,
          action: { do: 'wait' },
          tries: LOOKS_FOR_SEAT,
        })),
  },
  {
    name: 'nobody waits for the missing pools',
    under: 'nobody',
    intent: 'awake',
    finds: ({ state, since, degraded, recovering, now }) =>
      state === 'awake-degraded' && degraded && !recovering && now - since < RECOVERY_ENDS
        ? [
            {
              key: `recover#${String(since)}`,
              what: 'nobody looks after the missing pools',
              action: { do: 'recover-pools' },
            },
          ]
        : [],
  },
];

/** Whatever is not as it should be, each thing once, in the order of the table. */
export function findAmiss(seen: Seen): Finding[] {
  const { intent, lease } = seen;
  if (intent === undefined) return [];
  if (lease?.over) {
    const { owner, workflow } = lease;
    const what = `${workflow} ended without a word: ${owner}`;
    return [{ key: `ending#${owner}`, what, action: { do: 'record-ending', owner, workflow } }];
  }
  const holder = lease && (lease.workflow === 'wake' || lease.workflow === 'bootstrap' ? 'a wake' : 'another');
  const found = ROWS.filter(
    (row) => (holder === undefined || holder === row.under) && (row.intent ?? intent.state) === intent.state,
  ).flatMap((row) => row.finds(seen));
  // One start at a look: the next finds what is left.
  const start = found.find(({ action }) => action.do.startsWith('start'));
  return found.filter((finding) => !finding.action.do.startsWith('start') || finding === start);
}

/**
 * What to do about the findings now: each is tried five times with growing pauses, then a person is told, once.
 * @returns also the keys of tries that nothing of what is found is about any more
 */
export function lookAfter(seen: Seen): { decisions: Decision[]; forgotten: string[] } {
  const found = findAmiss(seen);
  const decisions = found.flatMap((finding): Decision[] => {
    const { count = 0, at, told = false } = seen.tries[finding.key] ?? {};
    const pauses = PAUSES[finding.action.do.startsWith('start') ? 'workflow' : 'other'];
    const waited = at === undefined ? Number.POSITIVE_INFINITY : seen.now - Date.parse(at);
    if (told) return finding.goesOn && waited >= LONG_PAUSE ? [{ ...finding, tell: false }] : [];
    const tell = count >= (finding.tries ?? MOST_TRIES);
    return waited >= (pauses[count] ?? 0) ? [{ ...finding, tell }] : [];
  });
  const sleeps = decisions.some(({ tell, action }) => !tell && action.do === 'start' && action.workflow === 'sleep');
  const keys = new Set(found.map(({ key }) => key));
  const forgotten = Object.entries(seen.tries)
    .filter(([key, { at }]) => !keys.has(key) && !seen.lease && seen.now - Date.parse(at) > FORGOTTEN_AFTER)
    .map(([key]) => key);
  // What is about to be drained again is not given back first.
  return { decisions: decisions.filter(({ action }) => !(sleeps && action.do === 'uncordon')), forgotten };
}

function sleepAgain({ intent }: Seen, what: string): Finding {
  return { key: `sleep#${intent?.since ?? ''}`, what, action: { do: 'start', workflow: 'sleep' }, goesOn: true };
}

/** A sleep that nobody holds back, and after which the cluster would not wake at once. */
function isWorthSleeping({ now, nextWake, keepAwakeUntil }: Seen): boolean {
  return (keepAwakeUntil ?? 0) <= now && (nextWake ?? Number.POSITIVE_INFINITY) - now > WORTH_SLEEPING;
}

/** What costs money while asleep, or would bring back what does; undefined if nothing. */
function describeBilled({ nodes, groups, balancer }: Seen): string | undefined {
  const found = [
    ...nodes.filter(({ state, lifecycle }) => !(state === 'stopped' && lifecycle === 'Standby')).map(describe),
    ...groups.filter(({ desired }) => desired > 0).map(({ name, desired }) => `${name} has size ${String(desired)}`),
    ...(balancer ? ['there is a load balancer'] : []),
  ];
  return found.length > 0 ? found.join(', ') : undefined;
}

/** AWS gives a seat no instance: the group goes on trying, and another wake would not help. */
function waitsForSeat({ groups, nodes }: Seen): boolean {
  const seats = groups.filter(({ role }) => role === 'seat');
  if (nodes.some((node) => isSeat(node) && serves(node))) return false;
  return seats.some(({ name, desired }) => desired > 0 && !nodes.some(({ group }) => group === name));
}

/** A wake failed, which was told, for what a person has to mend: another try would only be in the way. */
function lacksState({ state, nodes }: Seen): boolean {
  return state === 'wake-failed' && nodes.some((node) => runs(node) && OF_THE_STATE.has(node.phase));
}

/** The last failure is none that trying again would help, or that anybody should try again yet. */
function isLeft({ failure, now }: Seen): boolean {
  if (failure === undefined) return false;
  const { error, at } = failure;
  if (error === STOPPED) return now - at < AFTER_A_STOP;
  return !mayPass(error);
}

/** True for the failure of a sleep or wake that is tried again by itself; any other needs whoever reads of it. */
export function isTriedAgain({ error, cause }: { error: string; cause: string }): boolean {
  return mayPass(error) && ![...OF_THE_STATE].some((phase) => cause.includes(phase));
}

function mayPass(error: string): boolean {
  return !HOPELESS.has(error) && classOf(error) !== 'configuration';
}

function endNode(node: SeenNode): Finding[] {
  const { id, group } = node;
  return group === undefined ? [] : [{ key: group, what: describe(node), action: { do: 'end-node', id, group } }];
}

function describe({ id, group, state, phase }: SeenNode): string {
  return `${id} (${group ?? 'of no group'}) is ${state}, at ${phase}`;
}
