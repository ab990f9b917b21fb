import * as z from 'zod';
import type { ClusterConfig } from '../config/schema';
import { parseJson } from '../parse-json';
import { type Principal, principalKey, principalOf } from './principal';

/** Who somebody is to Kubernetes. */
export interface Person {
  /** What the API server's audit log calls them. */
  user: string;
  groups: string[];
}

/** Longest name that a certificate can carry (X.520: common name and organization have 64 characters). */
export const LONGEST_NAME = 64;

/** IAM Identity Center names the role of a permission set so; the end changes when the set is assigned anew. */
const SSO_ROLE = /^AWSReservedSSO_(.+)_[0-9a-f]{16}$/;

/** `access:` as a function is told of it: by {@link principalKey}, the name before the slash and the groups. */
const packed = z.record(z.string(), z.tuple([z.string(), z.array(z.string())]));

/** Environment of the function that knows who may get in; see {@link accessEnvironment}. */
export const accessEnv = z.object({ ACCESS: z.preprocess(parseJson, packed) });
export type Access = z.output<typeof accessEnv>['ACCESS'];

/** `access:` as environment variables of a function, which has 4 KB for all of them: `checkAccess` sees to it. */
export function accessEnvironment(access: ClusterConfig['access']) {
  const entries = access.flatMap((entry) => {
    const principal = principalOf(entry.arn);
    return principal === undefined
      ? []
      : [[principalKey(principal), [entry.name ?? defaultName(principal), entry.groups]] as const];
  });
  return { ACCESS: JSON.stringify(Object.fromEntries(entries)) };
}

/** What stands for a user or a role in names of people, unless the configuration says otherwise. */
export function defaultName({ kind, name }: Principal): string {
  if (kind === 'federated-user') return `federated:${name}`;
  return kind === 'role' ? name.replace(SSO_ROLE, 'sso:$1') : name;
}

/**
 * Who the caller of that ARN is to Kubernetes. A role's people are told apart by the names of their sessions.
 * @returns undefined for whom `access:` does not name
 */
export function personOf(access: Access, arn: string): Person | undefined {
  const principal = principalOf(arn);
  const [name, groups] = (principal && access[principalKey(principal)]) ?? [];
  if (principal === undefined || name === undefined || groups === undefined) return undefined;
  return { user: principal.session === undefined ? name : `${name}/${principal.session}`, groups };
}
