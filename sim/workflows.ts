import type { HistoryEvent } from '@aws-sdk/client-sfn';
import { ExecutionAbortedError, StateMachine, type StateMachineDefinition } from 'aws-local-stepfunctions';
import type { ExecutionRecord } from './aws/step-functions';
import { allStates, type Definition, readDefinition, stepOf, workflowNames } from './definitions';
import { ACCOUNT, type Model, REGION } from './model';
import { INTERRUPTED, SCALE_IN, TERMINATED } from '../core/decisions/node-events';
import { makeStep, type StepFunction } from './steps';

/** The functions' own time-out (s), below the state machines' TimeoutSeconds. */
const FUNCTION_SECONDS = 60;
/** From the start of an invocation to the handler's first line, warm (ms). */
const INVOKE_MS = 20;
/** A function that was not called for so long starts anew (ms). */
const KEPT_WARM_MS = 10 * 60_000;
/** From an event to the start of its execution (ms). */
const EVENT_MS = 1500;
/** From Spot's warning to the end of the instance (ms). */
const SPOT_NOTICE_MS = 120_000;

type Json = Parameters<StateMachine['run']>[0];

/** Thrown into what a stopped execution still runs. */
class Stopped extends Error {
  override readonly name = 'Stopped';
}

/** A running or ended execution. */
export interface Execution extends ExecutionRecord {
  workflow: string;
  output: unknown;
  /** How many state transitions AWS would bill. */
  transitions: number;
  /** Each task state: when it was entered, and how long it took with all its retries (s). */
  states: { name: string; enteredAt: string; seconds: number | undefined }[];
  /** Settles when it is over, however it ended. */
  over: Promise<void>;
  /** Like "Stop execution" in the console. */
  stop: () => void;
  /** What AWS does to an execution that has run for too long. */
  timeOut: () => void;
}

/** Runs the project's state machines with its real step handlers on a model of AWS, in whatever time it is. */
export class Workflows {
  private readonly functions = new Map<string, StepFunction>();
  private readonly definitions = new Map<string, Definition>();
  private count = 0;
  /** Every call of a step's function: which, how long it ran (ms), and how large the state was that it got (bytes). */
  readonly invocations: { step: string; ms: number; bytes: number }[] = [];
  /** Called as each task state is entered; tests stop executions here. */
  beforeTask: (execution: Execution, state: string) => void = () => undefined;

  /** What the first call of a function takes longer, or the first after a while (ms). */
  coldStartMs = 0;
  private readonly lastUsed = new Map<string, number>();
  /** After how long an event arrives (ms); never, or several times, and out of order, if something is wrong. */
  delivery: () => readonly number[] = () => [EVENT_MS];
  /** Called with each execution that fails. */
  onFailure: (execution: Execution) => void = () => undefined;

  constructor(readonly model: Model) {
    for (const workflow of workflowNames()) this.definitions.set(workflow, readDefinition(workflow));
    model.stepFunctions.start = (machineArn, input, name) => {
      const workflow = machineArn.split(`:stateMachine:${model.names.workflow('')}`)[1] ?? '';
      return this.definitions.has(workflow) ? this.start(workflow, input as object, name) : undefined;
    };
    model.autoScaling.onLaunch = (detail) => {
      const event = { 'detail-type': 'EC2 Instance-launch Lifecycle Action', source: 'aws.autoscaling', detail };
      this.deliver('join-node', event);
    };
    model.autoScaling.onTerminate = (detail) => {
      // As the rule's pattern: what a smaller size ended is no loss.
      if (!detail.Cause.includes(SCALE_IN)) this.tell('aws.autoscaling', TERMINATED, detail);
    };
  }

  /** Spot takes an instance back: a warning now, the end two minutes later. */
  interrupt(instanceId: string): void {
    this.tell('aws.ec2', INTERRUPTED, { 'instance-id': instanceId, 'instance-action': 'terminate' });
    setTimeout(() => this.model.ec2.terminate(instanceId), SPOT_NOTICE_MS);
  }

  private tell(source: string, detailType: string, detail: object): void {
    const event = { 'detail-type': detailType, source, time: new Date().toISOString(), detail };
    this.deliver('handle-node-loss', event);
  }

  /** EventBridge: an event starts a workflow, mostly once. */
  private deliver(workflow: string, event: object): void {
    for (const ms of this.delivery()) setTimeout(() => this.start(workflow, event), ms);
  }

  /** All executions, oldest first. */
  all(): Execution[] {
    return [...this.model.stepFunctions.executions.values()] as Execution[];
  }

  /** The executions of a workflow, oldest first. */
  of(workflow: string): Execution[] {
    return this.all().filter((one) => one.workflow === workflow);
  }

  /** Starts a workflow. */
  start(workflow: string, input: object = { requestedBy: 'cli' }, name?: string): Execution {
    const definition = this.definitions.get(workflow);
    if (!definition) throw new Error(`There is no workflow ${workflow}`);
    this.count += 1;
    const machineArn = `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:${this.model.names.workflow(workflow)}`;
    const arn = `${machineArn.replace(':stateMachine:', ':execution:')}:${name ?? `run-${String(this.count)}`}`;
    const execution: Execution = {
      workflow,
      arn,
      machineArn,
      status: 'RUNNING',
      input: JSON.stringify(input),
      output: undefined,
      startedAt: new Date(),
      history: [],
      transitions: 0,
      states: [],
      over: Promise.resolve(),
      stop: () => undefined,
      timeOut: () => undefined,
    };
    this.model.stepFunctions.executions.set(arn, execution);
    this.run(execution, definition, input);
    return execution;
  }

  private run(execution: Execution, definition: Definition, input: object): void {
    const tasks = allStates(definition).filter(([, { Type }]) => Type === 'Task');
    const taskResourceLocalHandlers = Object.fromEntries(
      tasks.map(([name, { Resource = '' }]) => {
        const step = stepOf(Resource);
        const task = (event: Json) =>
          step === undefined
            ? this.runChild(execution, event, Resource.endsWith('.sync:2'))
            : this.invoke(execution, name, step, event);
        return [name, (event: Json) => this.track(execution, name, () => task(event)) as Promise<Json>];
      }),
    );
    const machine = new StateMachine(definition as StateMachineDefinition, { validationOptions: { noValidate: true } });
    const context = { Execution: { Id: execution.arn } };
    const { result, abort, eventLogs } = machine.run(input as Json, {
      overrides: { taskResourceLocalHandlers },
      context,
    });
    const end = (status: 'ABORTED' | 'TIMED_OUT', type: 'ExecutionAborted' | 'ExecutionTimedOut'): boolean => {
      if (execution.status !== 'RUNNING') return false;
      execution.status = status;
      addEvent(execution, { type });
      abort();
      return true;
    };
    execution.stop = () => void end('ABORTED', 'ExecutionAborted');
    execution.timeOut = () => {
      if (end('TIMED_OUT', 'ExecutionTimedOut')) this.onFailure(execution);
    };
    void countTransitions(execution, eventLogs);
    execution.over = result.then(
      (output) => {
        Object.assign(execution, { status: 'SUCCEEDED', output });
        addEvent(execution, { type: 'ExecutionSucceeded' });
      },
      (error: unknown) => {
        if (error instanceof ExecutionAbortedError) return;
        Object.assign(execution, { status: 'FAILED', ...describeEnd(error) });
        addEvent(execution, { type: 'ExecutionFailed' });
        this.onFailure(execution);
      },
    );
  }

  /** Keeps how long a state takes, over all its attempts. */
  private async track(execution: Execution, name: string, task: () => Promise<unknown>): Promise<unknown> {
    let state = execution.states.findLast((one) => one.name === name);
    if (state?.seconds !== undefined || !state) {
      state = { name, enteredAt: new Date().toISOString(), seconds: undefined };
      execution.states.push(state);
      addEvent(execution, { type: 'TaskStateEntered', stateEnteredEventDetails: { name } });
      this.beforeTask(execution, name);
    }
    if (execution.status !== 'RUNNING') throw new Stopped('The execution was stopped');
    const result = await task();
    state.seconds = (Date.now() - Date.parse(state.enteredAt)) / 1000;
    addEvent(execution, { type: 'TaskStateExited', stateExitedEventDetails: { name } });
    return result;
  }

  /** Calls a step's function, as Step Functions calls a Lambda: JSON both ways, errors as name and JSON cause. */
  private async invoke(execution: Execution, state: string, step: string, event: Json): Promise<unknown> {
    const entered = execution.history.findLast(
      ({ stateEnteredEventDetails }) => stateEnteredEventDetails?.name === state,
    );
    const resource = `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${this.model.names.step(step)}`;
    const scheduled = addEvent(execution, {
      type: 'LambdaFunctionScheduled',
      previousEventId: entered?.id,
      lambdaFunctionScheduledEventDetails: { resource },
    });
    try {
      return JSON.parse(JSON.stringify((await this.call(step, event)) ?? null));
    } catch (error) {
      const { name, message } = error as Error;
      const ofLambda = name.startsWith('Lambda.') || name.startsWith('Sandbox.');
      // Lambda adds the stack. Nothing of ours reads it, and to write one out takes longer than most steps.
      const cause = ofLambda ? message : JSON.stringify({ errorType: name, errorMessage: message, trace: [] });
      addEvent(execution, {
        type: 'LambdaFunctionFailed',
        previousEventId: scheduled.id,
        lambdaFunctionFailedEventDetails: { error: name, cause },
      });
      throw Object.assign(new Error(cause), { name });
    }
  }

  private async call(step: string, event: Json): Promise<unknown> {
    const invokedAt = Date.now();
    const cold = invokedAt - (this.lastUsed.get(step) ?? Number.NEGATIVE_INFINITY) > KEPT_WARM_MS;
    await new Promise((resolve) => setTimeout(resolve, INVOKE_MS + (cold ? this.coldStartMs : 0)));
    this.lastUsed.set(step, Date.now());
    const run = this.functions.get(step) ?? makeStep(this.model, step);
    this.functions.set(step, run);
    const { promise: timeOut, reject } = Promise.withResolvers<never>();
    const message = `Task timed out after ${String(FUNCTION_SECONDS)}.00 seconds`;
    const timer = setTimeout(() => {
      reject(Object.assign(new Error(message), { name: 'Sandbox.Timedout' }));
    }, FUNCTION_SECONDS * 1000);
    const work = this.model.faults
      .strike({ caller: step, service: 'lambda', action: 'Invoke' })
      .then(() => run(JSON.parse(JSON.stringify(event))));
    try {
      return await Promise.race([work, timeOut]);
    } finally {
      this.invocations.push({ step, ms: Date.now() - invokedAt, bytes: JSON.stringify(event).length });
      clearTimeout(timer);
    }
  }

  /** `startExecution`: a child execution; with `.sync:2` its end is waited for, and it is stopped with its parent. */
  private async runChild(parent: Execution, event: Json, sync: boolean): Promise<unknown> {
    const { StateMachineArn, Input } = event as { StateMachineArn: string; Input: object };
    const child = this.start(stepOf(StateMachineArn) ?? StateMachineArn, Input);
    if (!sync) return { ExecutionArn: child.arn, StartDate: new Date().toISOString() };
    void parent.over.then(() => {
      if (child.status === 'RUNNING') child.stop();
    });
    await child.over;
    const { arn, error, cause, status, input, output } = child;
    if (status === 'SUCCEEDED') return { ExecutionArn: arn, Status: status, Output: output };
    const described = JSON.stringify({ ExecutionArn: arn, Error: error, Cause: cause, Status: status, Input: input });
    addEvent(parent, {
      type: 'TaskFailed',
      taskFailedEventDetails: { resourceType: 'states', resource: 'startExecution.sync:2', error: 'States.TaskFailed' },
    });
    throw Object.assign(new Error(described), { name: 'States.TaskFailed' });
  }
}

function addEvent(execution: Execution, event: Omit<HistoryEvent, 'id' | 'timestamp'>): HistoryEvent {
  const id = execution.history.length + 1;
  const full = { previousEventId: id - 1, ...event, id, timestamp: new Date() };
  execution.history.push(full);
  return full;
}

async function countTransitions(
  execution: Execution,
  events: ReturnType<StateMachine['run']>['eventLogs'],
): Promise<void> {
  for await (const { type } of events) {
    if (type === 'StateEntered' || type === 'StateRetried') execution.transitions += 1;
  }
}

function describeEnd(error: unknown): { error: string; cause: string } {
  const { cause } = error as Error;
  const { name, message } = cause instanceof Error ? cause : (error as Error);
  return { error: name, cause: message };
}
