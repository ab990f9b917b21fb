import type { EC2Client } from '@aws-sdk/client-ec2';
import {
  type GetCommandInvocationCommandOutput,
  DescribeInstanceInformationCommand,
  GetCommandInvocationCommand,
  InvalidInstanceId,
  InvocationDoesNotExist,
  SendCommandCommand,
  type SSMClient,
} from '@aws-sdk/client-ssm';
import * as z from 'zod';
import type { ClusterStore } from '../record/cluster-store';
import { ApiNotReady, CommandFailed, CommandInProgress } from '../step/errors';
import { describeNode, describeNodes, LIVE_STATES, readySeats } from '../ec2/instances';
import { commandRequest } from './request';

export interface RunCommandDeps {
  cluster: string;
  ec2: EC2Client;
  ssm: SSMClient;
  store: ClusterStore;
  now?: () => number;
}

/** One command that a step runs on a control-plane seat. */
export interface SeatCommand<Result extends z.ZodType> {
  /** ARN of the execution: with the command's name and `key` it identifies this run of it. */
  execution: string;
  /** Verb-noun of the command: names the SSM document and the script. */
  command: string;
  /** The instance on which it must run, ready or not; any ready seat without it. */
  on?: string;
  /** Tells apart several runs of one command in one execution. */
  key?: string;
  /** The document's parameters, or how to find them out: asked only when the command is sent. */
  parameters?: Record<string, string> | (() => Promise<Record<string, string>>);
  /** Longest run of the script, in seconds. */
  executionSeconds: number;
  /** Shape of the result line. */
  result: Result;
}

/** An invocation that SSM does not know yet is given this long to appear (ms). */
const APPEAR_MS = 30_000;
const RUNNING = new Set(['Pending', 'InProgress', 'Delayed', 'Cancelling']);

/** The last line of every command's output. */
const outcome = z.union([
  z.looseObject({ ok: z.literal(true) }),
  z.object({
    ok: z.literal(false),
    error: z.string().regex(/^[A-Z][A-Za-z]{1,39}$/),
    message: z.string().transform(plainWords),
  }),
]);

/**
 * Runs a command on a ready seat, across calls: the first call sends it and throws CommandInProgress, which the state
 * machine retries; later calls look, and the one that finds it done returns its result. The record of what was sent is
 * kept in the table, so a repeated call never sends twice.
 * @throws ApiNotReady no seat is ready to run it, or its agent of Systems Manager has not registered yet
 * @throws CommandInProgress it has not ended yet
 * @throws CommandFailed it ended without success; a further call sends it again
 */
export async function runOnSeat<Result extends z.ZodType>(
  deps: RunCommandDeps,
  command: SeatCommand<Result>,
): Promise<z.output<Result>> {
  const key = commandKey(command);
  const sent = await deps.store.readCommand(key);
  if (!sent) {
    await send(deps, key, command);
    throw new CommandInProgress(`${command.command} was sent`);
  }
  const invocation = await readInvocation(deps.ssm, sent);
  const now = deps.now ?? Date.now;
  if (invocation === undefined ? now() - sent.sentAt < APPEAR_MS : RUNNING.has(invocation.Status ?? '')) {
    await forgetIfSeatEnded(deps, key, sent.instanceId);
    throw new CommandInProgress(`${command.command} is under way on ${sent.instanceId}`);
  }
  if (invocation?.Status !== 'Success') {
    // Forgotten, so that a retry by the state machine, or a later run of the workflow, sends it again.
    await deps.store.forgetCommand(key);
    throw toFailure(command.command, sent.instanceId, invocation);
  }
  const last = lastLine(invocation.StandardOutputContent);
  const parsed = command.result.safeParse(last);
  if (!parsed.success)
    throw new CommandFailed(
      `The answer of ${command.command} is none that it should give: ${problemsOf(parsed.error)}`,
    );
  return parsed.data;
}

/** By which a sent command is remembered. */
export function commandKey({ execution, command, key }: Pick<SeatCommand<z.ZodType>, 'execution' | 'command' | 'key'>) {
  return [execution, command, key].filter(Boolean).join('#');
}

async function send<Result extends z.ZodType>(
  { cluster, ec2, ssm, store, now = Date.now }: RunCommandDeps,
  key: string,
  { command, on, parameters = {}, executionSeconds }: SeatCommand<Result>,
): Promise<void> {
  const nodes = await describeNodes(ec2, cluster, LIVE_STATES);
  const seats =
    on === undefined ? readySeats(nodes) : nodes.filter(({ id, state }) => id === on && state === 'running');
  if (seats.length === 0) throw new ApiNotReady(`${on ?? 'No control-plane seat'} is not ready to run ${command}`);
  const values = typeof parameters === 'function' ? await parameters() : parameters;
  for (const { id: instanceId } of seats) {
    const commandId = await sendTo(instanceId);
    if (commandId === undefined) continue;
    return store.recordCommand(key, { commandId, instanceId, sentAt: now() });
  }
  const ids = seats.map(({ id }) => id).join(', ');
  throw new ApiNotReady(`The agent of Systems Manager has not registered yet on ${ids}`);

  /** ID of the command; undefined if the agent is not there: it registers up to minutes after the instance runs. */
  async function sendTo(instanceId: string): Promise<string | undefined> {
    const request = commandRequest(cluster, instanceId, { command, parameters: values, seconds: executionSeconds });
    try {
      return (await ssm.send(new SendCommandCommand(request))).Command?.CommandId ?? '';
    } catch (error) {
      if (error instanceof InvalidInstanceId) return undefined;
      throw error;
    }
  }
}

/** Which of these instances can be sent commands: their agents of Systems Manager have registered. */
export async function findReachable(ssm: SSMClient, instanceIds: readonly string[]): Promise<string[]> {
  const Filters = [{ Key: 'InstanceIds', Values: [...instanceIds] }];
  const { InstanceInformationList = [] } = await ssm.send(new DescribeInstanceInformationCommand({ Filters }));
  return InstanceInformationList.flatMap(({ InstanceId = '', PingStatus }) =>
    PingStatus === 'Online' ? [InstanceId] : [],
  );
}

async function readInvocation(
  ssm: SSMClient,
  { commandId, instanceId }: { commandId: string; instanceId: string },
): Promise<GetCommandInvocationCommandOutput | undefined> {
  try {
    return await ssm.send(new GetCommandInvocationCommand({ CommandId: commandId, InstanceId: instanceId }));
  } catch (error) {
    if (error instanceof InvocationDoesNotExist) return undefined;
    throw error;
  }
}

/** SSM shows a command on an instance that ended as in progress until its time is up: it is sent again instead. */
async function forgetIfSeatEnded({ ec2, cluster, store }: RunCommandDeps, key: string, seat: string): Promise<void> {
  const node = await describeNode(ec2, cluster, seat);
  if (node && !LIVE_STATES.includes(node.state)) await store.forgetCommand(key);
}

function toFailure(
  command: string,
  instanceId: string,
  invocation: GetCommandInvocationCommandOutput | undefined,
): Error {
  if (!invocation) return new CommandFailed(`${command} never reached ${instanceId}`);
  const told = outcome.safeParse(lastLine(invocation.StandardOutputContent));
  const more = `its log says more: logs/…/${instanceId}/${command}.log in the bucket`;
  if (!told.success || told.data.ok) {
    const status = invocation.StatusDetails ?? invocation.Status ?? 'unknown';
    return new CommandFailed(`${command} on ${instanceId} ended as ${status}; ${more}`);
  }
  const { error, message } = told.data;
  const text = `${command} on ${instanceId}: ${error}: ${message}`;
  // The seat was ready a moment ago: its API comes back, or the wait for it ends.
  return error === 'ApiNotReady' ? new ApiNotReady(text) : new CommandFailed(text, error);
}

/** The most of a seat's own words that a mail or a page shows. */
const LONGEST_WORDS = 400;

/** A seat's own words as people may be shown them: one line, not long, nothing that a mail program makes a link of. */
function plainWords(text: string): string {
  const line = text
    .replace(/\p{C}|\p{Z}/gu, ' ')
    .replace(/:\/\//g, ' ')
    .trim();
  return line.length > LONGEST_WORDS ? `${line.slice(0, LONGEST_WORDS)}…` : line;
}

/** Where an answer is not what it should be; not what stands there, which is the seat's word. */
function problemsOf({ issues }: z.ZodError): string {
  return issues.map(({ path, code }) => `${path.join('.') || 'all of it'}: ${code}`).join(', ');
}

function lastLine(output: string | undefined): unknown {
  try {
    return JSON.parse((output ?? '').trim().split('\n').at(-1) ?? '');
  } catch {
    return output; // Not JSON: the caller's schema refuses it and shows it.
  }
}
