import { paginateGetParametersByPath, type SSMClient } from '@aws-sdk/client-ssm';
import * as z from 'zod';
import { namesOf } from '../../lib/config/names';
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

const minted = z.object({
  /** Name of the parameter that now holds the token; the token itself never leaves the seat any other way. */
  parameter: z.string(),
  expiresAt: z.string(),
});
export type Minted = z.output<typeof minted>;

/** Has a seat write a short-lived join token of a pool. Once for each execution and key. See {@link runOnSeat}. */
export function mintToken(deps: RunCommandDeps, execution: string, pool: string, key = pool): Promise<Minted> {
  return runOnSeat(deps, {
    execution,
    command: 'mint-join-token',
    key,
    parameters: { Pool: pool },
    executionSeconds: 120,
    result: minted,
  });
}
