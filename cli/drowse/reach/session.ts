import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { SSMClient, StartSessionCommand, type StartSessionCommandInput, TargetNotConnected } from '@aws-sdk/client-ssm';
import { CommandFailed } from '../../terminal/errors';
import { findProgram, programFolders } from '../../terminal/programs';
import { attend } from '../child';
import { explainAws } from '../explain-aws';
import type { Target } from '../target';
import { dnsSuffixOf } from '../../../core/facts/regions';

const PLUGIN = 'session-manager-plugin';
/** Where its installers put it, and no PATH leads. */
const OTHER_FOLDERS = ['/usr/local/sessionmanagerplugin/bin', '/usr/local/bin', '/opt/homebrew/bin'];
const INSTALL =
  'Install it: https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-install-plugin.html (Homebrew: session-manager-plugin).';
/** The variable in which the AWS CLI hands it a session, so that no list of processes shows the token. */
const RESPONSE = 'AWS_SSM_START_SESSION_RESPONSE';
/** Since this version it reads that variable. */
const READS_VARIABLE = [1, 2, 497];

/** Where AWS's Session Manager plugin is. @throws CommandFailed naming its install */
export function findPlugin(env: NodeJS.ProcessEnv = process.env): string {
  const found = findProgram(PLUGIN, [...programFolders(env), ...OTHER_FOLDERS]);
  if (found !== undefined) return found;
  throw new CommandFailed('AWS’s Session Manager plugin was not found: sessions need it', INSTALL);
}

export interface SessionOptions {
  /** What kind of session; a shell without it. */
  session?: Omit<StartSessionCommandInput, 'Target'>;
  /** True: what the plugin says goes to the error output. */
  quietOutput?: boolean;
  /** Ends the session when this aborts. */
  ends?: AbortSignal;
}

/**
 * Opens a session on an instance, and leaves the terminal to it until it ends.
 * @returns the plugin's exit code
 * @throws CommandFailed without the plugin, or if the instance's agent does not answer
 */
export async function openSession(
  { region, description }: Target,
  instanceId: string,
  { session = {}, ...options }: SessionOptions,
  signal: AbortSignal,
): Promise<number> {
  const plugin = findPlugin();
  const readsVariable = await readsResponse(plugin);
  const client = new SSMClient({ region });
  const input = { Target: instanceId, ...session };
  const { SessionId, StreamUrl, TokenValue } = await client
    .send(new StartSessionCommand(input))
    .catch((error: unknown) => {
      if (!(error instanceof TargetNotConnected)) throw explainAws(error, description);
      throw new CommandFailed(
        `The agent of Systems Manager on ${instanceId} does not answer`,
        'It registers within minutes of the start. drowse nodes shows how far the node has come.',
      );
    });
  const response = JSON.stringify({ SessionId, StreamUrl, TokenValue });
  const endpoint =
    process.env.AWS_ENDPOINT_URL_SSM ?? process.env.AWS_ENDPOINT_URL ?? `https://ssm.${region}.${dnsSuffixOf(region)}`;
  const args = [
    readsVariable ? RESPONSE : response,
    ...[region, 'StartSession', process.env.AWS_PROFILE ?? '', JSON.stringify(input), endpoint],
  ];
  return attend(
    plugin,
    args,
    { env: readsVariable ? { [RESPONSE]: response } : {}, ...options, remedy: INSTALL },
    signal,
  );
}

async function readsResponse(plugin: string): Promise<boolean> {
  const { stdout } = await promisify(execFile)(plugin, ['--version']).catch(() => ({ stdout: '' }));
  const version = stdout.trim().split('.').map(Number);
  for (const [index, least] of READS_VARIABLE.entries()) {
    const part = version[index] ?? 0;
    if (part !== least) return part > least;
  }
  return true;
}

/** A session that leads from a port of this machine to the Kubernetes API of a seat. */
export function apiPort(apiPort: number, localPort: number): Omit<StartSessionCommandInput, 'Target'> {
  return {
    DocumentName: 'AWS-StartPortForwardingSession',
    Parameters: { portNumber: [String(apiPort)], localPortNumber: [String(localPort)] },
  };
}
