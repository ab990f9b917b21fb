/**
 * Who an ARN stands for. Forms by "IAM identifiers" in AWS's IAM user guide: a session's ARN has the role's name without its path,
 * and names are unique in an account whatever their path, so that account, kind and name say who it is.
 */
export interface Principal {
  account: string;
  kind: 'user' | 'role' | 'federated-user';
  /** Name without path. */
  name: string;
  /** Of a role's session: the name that it was given when the role was assumed. */
  session?: string;
}

/** Characters of names of users, roles and sessions (IAM and STS API references: `[\w+=,.@-]`). */
const NAME = String.raw`[A-Za-z0-9_+=,.@-]{1,64}`;
/** Longest that a path may be is 512 characters; what it says is of no matter. */
const PATH = String.raw`(?:[\x21-\x7e]{1,510}/)?`;

const FORMS: readonly { kind: Principal['kind']; pattern: RegExp }[] = [
  { kind: 'user', pattern: new RegExp(`^arn:aws[a-z-]*:iam::(\\d{12}):user/${PATH}(${NAME})$`) },
  { kind: 'role', pattern: new RegExp(`^arn:aws[a-z-]*:iam::(\\d{12}):role/${PATH}(${NAME})$`) },
  { kind: 'role', pattern: new RegExp(`^arn:aws[a-z-]*:sts::(\\d{12}):assumed-role/(${NAME})/(${NAME})$`) },
  { kind: 'federated-user', pattern: new RegExp(`^arn:aws[a-z-]*:sts::(\\d{12}):federated-user/(${NAME})$`) },
];

/** Undefined if it stands for no user, role, session of a role or federated user: the account's root is none of them. */
export function principalOf(arn: string): Principal | undefined {
  for (const { kind, pattern } of FORMS) {
    const [, account, name, session] = pattern.exec(arn) ?? [];
    if (account !== undefined && name !== undefined) return { account, kind, name, ...(session && { session }) };
  }
  return undefined;
}

/** The same text for the same user or role, and for no other. */
export function principalKey({ account, kind, name }: Principal): string {
  return `${account}:${kind}:${name}`;
}
