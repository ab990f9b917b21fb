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
 * What every step is retried on, after what its file says: Lambda's faults, AWS's, and a call that ran out of time.
 * Steps are idempotent, so that a repeated call is safe.
 */
const SERVICE_FAULTS: readonly Retrier[] = [
  {
    ErrorEquals: [
      'Lambda.ServiceException',
      'Lambda.AWSLambdaException',
      'Lambda.SdkClientException',
      'Lambda.TooManyRequestsException',
    ],
    IntervalSeconds: 2,
    MaxAttempts: 3,
    BackoffRate: 2,
  },
  {
    ErrorEquals: ['AwsUnavailable', 'Sandbox.Timedout', 'States.Timeout'],
    IntervalSeconds: 5,
    MaxAttempts: 5,
    BackoffRate: 2,
  },
];

/** A step is called by a placeholder; anything else is one of Step Functions' own integrations. */
const STEP = /^\$\{\w+Arn\}$/;

/**
 * Reads `statemachines/<name>.asl.json`, and adds to each step what all have in common: the bound of a call and the
 * retries on service faults. So a file holds only what is peculiar to its workflow. Placeholders stay.
 */
export function readDefinition(file: string): Definition {
  return withServiceFaults(JSON.parse(readFileSync(file, 'utf8')) as Definition);
}

function withServiceFaults(definition: Definition): Definition {
  const states = Object.entries(definition.States).map(([name, state]) => [name, complete(state)] as const);
  return { ...definition, States: Object.fromEntries(states) };
}

function complete(state: State): State {
  if (state.Branches) return { ...state, Branches: state.Branches.map(withServiceFaults) };
  if (state.Type !== 'Task' || !STEP.test(state.Resource ?? '')) return state;
  return { TimeoutSeconds: STEP_TIMEOUT, ...state, Retry: [...(state.Retry ?? []), ...SERVICE_FAULTS] };
}

/** All states of a definition by name, those of branches included. */
export function allStates(definition: Definition): [name: string, state: State][] {
  return Object.entries(definition.States).flatMap(([name, state]): [string, State][] => [
    [name, state],
    ...(state.Branches ?? []).flatMap(allStates),
  ]);
}
