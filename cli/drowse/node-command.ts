import { setTimeout as pause } from 'node:timers/promises';
import {
  GetCommandInvocationCommand,
  InvalidInstanceId,
  InvocationDoesNotExist,
  SendCommandCommand,
  SSMClient,
} from '@aws-sdk/client-ssm';
import * as z from 'zod';
import { parseJson } from '../../core/parse-json';
import { commandRequest, type CommandRequest } from '../../lambdas/shared/commands/request';
import { CommandFailed, tail } from '../terminal/errors';
import { explainAws } from './explain-aws';
import type { Target } from './target';

/** Between two looks (ms). */
const LOOK_MS = 1_000;
/** What a script may take beyond its own bound until Systems Manager says so (ms). */
const GRACE_MS = 90_000;
const UNDER_WAY = new Set(['Pending', 'InProgress', 'Delayed', 'Cancelling']);

const failure = z.object({ ok: z.literal(false), error: z.string(), message: z.string() });

export interface NodeCommand<Result extends z.ZodType> extends Omit<CommandRequest, 'parameters'> {
  instanceId: string;
  parameters?: CommandRequest['parameters'];
  /** Shape of the last line that it prints; one that says that something failed may be among what it allows. */
  result: Result;
}

/**
 * Runs a command of the node bundle on a node, through Systems Manager, and waits for its end.
 * @throws CommandFailed with what the script said; the abort's reason
 */
export async function runOnNode<Result extends z.ZodType>(
  { cluster, region, description }: Target,
  { instanceId, command, parameters = {}, seconds, result }: NodeCommand<Result>,
  signal: AbortSignal,
): Promise<z.output<Result>> {
  const ssm = new SSMClient({ region });
  try {
    const request = commandRequest(cluster, instanceId, { command, parameters, seconds });
    const { Command } = await ssm.send(new SendCommandCommand(request));
    const end = Date.now() + seconds * 1000 + GRACE_MS;
    for (;;) {
      await pause(LOOK_MS, undefined, { signal });
      const invocation = await look(ssm, Command?.CommandId ?? '', instanceId);
      if (invocation !== undefined && !UNDER_WAY.has(invocation.Status ?? '')) {
        const last = parseJson((invocation.StandardOutputContent ?? '').trim().split('\n').at(-1) ?? '');
        const parsed = result.safeParse(last);
        if (parsed.success) return parsed.data;
        const told = failure.safeParse(last);
        const cause = told.success
          ? `${told.data.error}: ${told.data.message}`
          : (invocation.StatusDetails ?? 'unknown');
        throw new CommandFailed(
          `${command} on ${instanceId} failed: ${cause}`,
          `drowse logs ${instanceId} shows what the node logged.`,
          tail(invocation.StandardErrorContent ?? ''),
        );
      }
      if (Date.now() > end) {
        throw new CommandFailed(
          `${command} on ${instanceId} has not ended in ${String(seconds)} s`,
          `drowse logs ${instanceId} shows what the node logged.`,
        );
      }
    }
  } catch (error) {
    if (error instanceof InvalidInstanceId) {
      throw new CommandFailed(
        `The agent of Systems Manager on ${instanceId} does not answer`,
        'It registers within minutes of the start. drowse nodes shows how far the node has come.',
      );
    }
    throw explainAws(error, description);
  }
}

async function look(ssm: SSMClient, CommandId: string, InstanceId: string) {
  try {
    return await ssm.send(new GetCommandInvocationCommand({ CommandId, InstanceId }));
  } catch (error) {
    // Systems Manager knows of it a moment later.
    if (error instanceof InvocationDoesNotExist) return undefined;
    throw error;
  }
}
