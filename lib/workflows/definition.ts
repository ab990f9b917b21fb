import { readFileSync } from 'node:fs';

/** One entry of a state's `Retry`. Intervals in seconds. */
export interface Retrier {
  ErrorEquals: string[];
  IntervalSeconds: number;
  MaxAttempts: number;
  BackoffRate: number;
}

/** A state, as far as anything of ours looks into it. */
export interface State {
  Type: string;
  Resource?: string;
  Next?: string;
  End?: boolean;
  TimeoutSeconds?: number;
  Parameters?: Record<string, unknown>;
  ResultPath?: string | null;
  Retry?: Retrier[];
  Catch?: { ErrorEquals: string[]; ResultPath?: string; Next: string }[];
  Choices?: { Next: string }[];
  Default?: string;
  Branches?: Definition[];
}

/** A state machine, or a branch of one (Amazon States Language, JSONPath). */
export interface Definition {
  Comment?: string;
  StartAt: string;
  States: Record<string, State>;
}

/** Bound of one call of a step (s): above the functions' own time-out, so that only a lost answer meets it. */
const STEP_TIMEOUT = 90;

/**
 * What Lambda itself ends a call with. Sources: "Handle transient Lambda service exceptions" in the Step Functions developer
 * guide, and its list of error names; `Runtime.ExitError` is a function that died.
 */
export const LAMBDA_FAULTS: readonly string[] = [
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.ClientExecutionTimeoutException',
  'Lambda.TooManyRequestsException',
  'Lambda.Unknown',
  'Runtime.ExitError',
];
/** AWS's faults behind a step, and a call that ran out of time. */
const SLOW_FAULTS = ['AwsUnavailable', 'Sandbox.Timedout', 'States.Timeout'];

/** What every step is retried on, after what its file says. Steps are idempotent, so that a repeated call is safe. */
const SERVICE_FAULTS: readonly Retrier[] = [
  { ErrorEquals: [...LAMBDA_FAULTS], IntervalSeconds: 2, MaxAttempts: 3, BackoffRate: 2 },
  { ErrorEquals: SLOW_FAULTS, IntervalSeconds: 5, MaxAttempts: 5, BackoffRate: 2 },
];

/**
 * The same for what begins and ends a workflow, which nothing catches: it outlasts an outage of ten minutes (12 min 52 s
 * in all), quick at first.
 */
const LASTING_FAULTS: readonly Retrier[] = [
  { ErrorEquals: [...LAMBDA_FAULTS, ...SLOW_FAULTS], IntervalSeconds: 3, MaxAttempts: 12, BackoffRate: 1.5 },
];
/** A step that ends a workflow well; those that end it badly stand outside of what is caught. */
const ENDING = 'RecordSuccess';

/** A step is called by a placeholder; anything else is one of Step Functions' own integrations. */
const STEP = /^\$\{\w+Arn\}$/;

/**
 * Reads `statemachines/<name>.asl.json`, and adds to each step what all have in common: the bound of a call and the
 * retries on service faults. So a file holds only what is peculiar to its workflow. Placeholders stay, but for the partition
 * in the ARNs of Step Functions' own integrations.
 */
export function readDefinition(file: string, partition = 'aws'): Definition {
  const read = JSON.parse(readFileSync(file, 'utf8').replaceAll('${Partition}', partition)) as Definition;
  return withServiceFaults(read, LASTING_FAULTS);
}

function withServiceFaults(definition: Definition, faults: readonly Retrier[]): Definition {
  const states = Object.entries(definition.States).map(
    ([name, state]) => [name, complete(state, name === ENDING ? LASTING_FAULTS : faults)] as const,
  );
  return { ...definition, States: Object.fromEntries(states) };
}

function complete(state: State, faults: readonly Retrier[]): State {
  if (state.Branches) {
    return { ...state, Branches: state.Branches.map((branch) => withServiceFaults(branch, SERVICE_FAULTS)) };
  }
  if (state.Type !== 'Task' || !STEP.test(state.Resource ?? '')) return state;
  return { TimeoutSeconds: STEP_TIMEOUT, ...state, Retry: [...(state.Retry ?? []), ...faults] };
}

/** All states of a definition by name, those of branches included. */
export function allStates(definition: Definition): [name: string, state: State][] {
  return Object.entries(definition.States).flatMap(([name, state]): [string, State][] => [
    [name, state],
    ...(state.Branches ?? []).flatMap(allStates),
  ]);
}
