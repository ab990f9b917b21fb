import { paginateGetParametersByPath, type SSMClient } from '@aws-sdk/client-ssm';
import * as z from 'zod';
import { namesOf } from '../../../core/config/names';
import { type RunCommandDeps, runOnSeat } from './run-command';

/** Names of the parameters that hold join tokens; the tokens themselves are not read. */
export async function listJoinParameters(client: SSMClient, cluster: string): Promise<string[]> {
  const names: string[] = [];
  const input = { Path: namesOf(cluster).joinParameterRoot, Recursive: true, WithDecryption: false };
  for await (const { Parameters } of paginateGetParametersByPath({ client }, input)) {
    names.push(...(Parameters ?? []).flatMap(({ Name }) => (Name === undefined ? [] : [Name])));
  }
  return names;
}

/** As many instances as one command mints for: an answer of Run Command holds their parameters' names, with room. */
export const TOKENS_AT_ONCE = 25;

const minted = z.object({
  /** Names of the parameters that now hold a token each; the tokens themselves never leave the seat any other way. */
  parameters: z.array(z.string()),
  expiresAt: z.string(),
});
export type Minted = z.output<typeof minted>;

/**
 * Has a seat write short-lived join tokens, each for one instance of a pool. Once for each execution and key. See
 * {@link runOnSeat}.
 * @param instanceIds at most {@link TOKENS_AT_ONCE}
 */
export function mintTokens(
  deps: RunCommandDeps,
  execution: string,
  { pool, instanceIds }: { pool: string; instanceIds: readonly string[] },
  key: string,
): Promise<Minted> {
  return runOnSeat(deps, {
    execution,
    command: 'mint-join-token',
    key,
    parameters: { Pool: pool, InstanceIds: instanceIds.join(',') },
    executionSeconds: 120,
    result: minted,
  });
}
