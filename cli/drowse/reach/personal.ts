import { setTimeout as pause } from 'node:timers/promises';
import { certificateAnswer, certificateUnderWay } from '../../../core/api/answers';
import { CommandFailed } from '../../terminal/errors';
import type { Target } from '../target';
import { Refused, WakeApi } from '../wake-api';
import { checkCredentials, type Credentials, currentCredentials } from './credentials';
import { makeRequest } from './request';

/** Between two looks (ms). */
const LOOK_MS = 1_000;
/** A seat signs within seconds, unless its agent is slow to hear of it (ms). */
const PATIENCE_MS = 90_000;

/** How somebody wants to get in. */
export interface Wanted {
  /** The shared administrator, though the configuration names people. */
  administrator: boolean;
}

/**
 * What leads in: the caller's own certificate if the configuration names people, else the shared administrator's.
 * @throws CommandFailed if there is none, and none can be made
 */
export async function credentialsFor(
  target: Target,
  { administrator }: Wanted,
  signal = new AbortController().signal,
): Promise<Credentials> {
  const own = administrator ? undefined : await personalCredentials(target, signal);
  return own ?? currentCredentials(target, signal);
}

/**
 * A certificate for whoever runs this, by his AWS credentials: the key is made here, a seat signs.
 * @returns undefined if the cluster's configuration names nobody, so that there is one shared administrator
 * @throws CommandFailed if the person is not named, or no seat signs
 */
async function personalCredentials(target: Target, signal: AbortSignal): Promise<Credentials | undefined> {
  if (target.config?.access.length === 0) return undefined;
  const { key, request } = makeRequest();
  const api = await WakeApi.connect(target, signal);
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end;) {
    const answer = await ask(api, request, target);
    if (answer === undefined) return undefined;
    if (!('certificate' in answer)) {
      await pause(LOOK_MS, undefined, { signal });
      continue;
    }
    const { ca, certificate, user, groups } = answer;
    const where = 'What the cluster has signed';
    const remedy = 'Run the command again; drowse logs issue-certificate shows what was asked.';
    return { ...checkCredentials({ ca, certificate, key }, where, remedy), person: { user, groups } };
  }
  throw new CommandFailed(
    `No seat has signed a certificate within ${String(PATIENCE_MS / 1000)} s`,
    'drowse logs issue-certificate shows why; drowse nodes how the seats are.',
  );
}

async function ask(api: WakeApi, request: string, { config }: Target) {
  try {
    return await api.request(certificateAnswer.or(certificateUnderWay), 'POST', '/certificates', { request });
  } catch (error) {
    // Of another cluster only the cluster itself knows whom it names.
    if (config === undefined && error instanceof Refused && error.status === 404) return undefined;
    throw error;
  }
}
