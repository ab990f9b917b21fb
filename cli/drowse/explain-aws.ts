import { CommandFailed } from '../terminal/errors';

const SIGN_IN = 'Sign in again (for example: aws sso login), or set AWS_PROFILE, then run the command again.';

/** What AWS's SDK throws before or instead of an answer, and what helps. */
const KNOWN: readonly [name: RegExp, message: (what: string) => string, remedy: string][] = [
  [/^CredentialsProviderError$/, () => 'No AWS credentials were found', SIGN_IN],
  [/^(ExpiredToken|RequestExpired)/, () => 'Your AWS credentials have expired', SIGN_IN],
  [
    /^(InvalidClientTokenId|UnrecognizedClient|AuthFailure|InvalidSignature|SignatureDoesNotMatch)/,
    () => 'AWS does not accept your credentials',
    SIGN_IN,
  ],
  [
    /^(AccessDenied|UnauthorizedOperation)/,
    (what) => `Your AWS identity may not do that: ${what}`,
    'Ask who runs the account for the right that is named, then run the command again.',
  ],
];
const NETWORK = /^(ENOTFOUND|ECONNREFUSED|ECONNRESET|EAI_AGAIN|ETIMEDOUT|TimeoutError)$/;

/** An error of AWS as a message that a person can act on; any other as it is. */
export function explainAws(error: unknown, target: string): unknown {
  if (!(error instanceof Error) || error instanceof CommandFailed) return error;
  const known = KNOWN.find(([name]) => name.test(error.name));
  if (known) return new CommandFailed(`${known[1](error.message)} (${target})`, known[2]);
  const { code } = error as NodeJS.ErrnoException;
  if (NETWORK.test(code ?? error.name)) {
    return new CommandFailed(
      `AWS does not answer: ${error.message} (${target})`,
      'Check the network and that the region exists, then run the command again.',
    );
  }
  return error;
}
