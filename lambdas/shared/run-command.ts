import type { EC2Client } from '@aws-sdk/client-ec2';
import {
  type GetCommandInvocationCommandOutput,
  GetCommandInvocationCommand,
  InvocationDoesNotExist,
  SendCommandCommand,
  type SSMClient,
} from '@aws-sdk/client-ssm';
import * as z from 'zod';
import { namesOf } from '../../lib/config/names';
import type { ClusterStore } from './cluster-store';
import { ApiNotReady, CommandFailed, CommandInProgress } from './errors';
import { describeNode, describeNodes, LIVE_STATES, readySeat } from './instances';

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
  z.object({ ok: z.literal(false), error: z.string(), message: z.string() }),
]);

/**
 * Runs a command on a ready seat, across calls: the first call sends it and throws CommandInProgress, which the state
 * machine retries; later calls look, and the one that finds it done returns its result. The record of what was sent is
 * kept in the table, so a repeated call never sends twice.
 * @throws ApiNotReady no seat is ready to run it
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
    throw new CommandFailed(`${command.command} answered ${JSON.stringify(last)}: ${z.prettifyError(parsed.error)}`);
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
  const seat = on === undefined ? readySeat(nodes) : nodes.find(({ id, state }) => id === on && state === 'running');
  if (!seat) throw new ApiNotReady(`${on ?? 'No control-plane seat'} is not ready to run ${command}`);
  const values = typeof parameters === 'function' ? await parameters() : parameters;
  const { Command } = await ssm.send(
    new SendCommandCommand({
      DocumentName: namesOf(cluster).document(command),
      InstanceIds: [seat.id],
      // TimeoutSeconds bounds delivery only; the document passes ExecutionTimeout to the script's runner.
      TimeoutSeconds: 60,
      Parameters: {
        ExecutionTimeout: [String(executionSeconds)],
        ...Object.fromEntries(Object.entries(values).map(([name, value]) => [name, [value]])),
      },
    }),
  );
  await store.recordCommand(key, { commandId: Command?.CommandId ?? '', instanceId: seat.id, sentAt: now() });
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
  if (node === undefined || !LIVE_STATES.includes(node.state)) await store.forgetCommand(key);
}

function toFailure(
  command: string,
  instanceId: string,
  invocation: GetCommandInvocationCommandOutput | undefined,
): Error {
  if (!invocation) return new CommandFailed(`${command} never reached ${instanceId}`);
  const told = outcome.safeParse(lastLine(invocation.StandardOutputContent));
  if (!told.success || told.data.ok) {
    const stderr = (invocation.StandardErrorContent ?? '').trim().split('\n').at(-1) ?? '';
    const status = invocation.StatusDetails ?? invocation.Status ?? 'unknown';
    return new CommandFailed(`${command} on ${instanceId} ended as ${status}: ${stderr}`);
  }
  const { error, message } = told.data;
  const text = `${command} on ${instanceId}: ${error}: ${message}`;
  // The seat was ready a moment ago: its API comes back, or the wait for it ends.
  return error === 'ApiNotReady' ? new ApiNotReady(text) : new CommandFailed(text, error);
}

function lastLine(output: string | undefined): unknown {
  try {
    return JSON.parse((output ?? '').trim().split('\n').at(-1) ?? '');
  } catch {
    return output; // Not JSON: the caller's schema refuses it and shows it.
  }
}
