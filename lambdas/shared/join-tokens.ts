import { paginateGetParametersByPath, type SSMClient } from '@aws-sdk/client-ssm';
import { namesOf } from '../../lib/config/names';

/** Names of the parameters that hold join tokens; the tokens themselves are not read. */
export async function listJoinParameters(client: SSMClient, cluster: string): Promise<string[]> {
  const names: string[] = [];
  const input = { Path: namesOf(cluster).joinParameterRoot, Recursive: true, WithDecryption: false };
  for await (const { Parameters } of paginateGetParametersByPath({ client }, input)) {
    names.push(...(Parameters ?? []).flatMap(({ Name }) => (Name === undefined ? [] : [Name])));
  }
  return names;
}
