import { createPrivateKey, X509Certificate } from 'node:crypto';
import { GetParameterCommand, ParameterNotFound, SSMClient } from '@aws-sdk/client-ssm';
import { parse } from 'yaml';
import * as z from 'zod';
import { namesOf } from '../../../core/config/names';
import { CommandFailed } from '../../terminal/errors';
import { duration } from '../describe';
import { explainAws } from '../explain-aws';
import { findSeat } from '../find-nodes';
import { runOnNode } from '../node-command';
import type { Target } from '../target';

/** What the Kubernetes API is reached with: three texts in PEM, each of which was read as what it is. */
export interface Credentials {
  ca: string;
  certificate: string;
  key: string;
  /** Until when the certificate holds, UTC ISO. */
  expires: string;
  /** Who it is to Kubernetes; undefined of the shared administrator. */
  person?: { user: string; groups: string[] };
}

/** A certificate that ends so soon is told of (ms). */
const SOON_MS = 3_600_000;

const base64 = z.base64().transform((text) => Buffer.from(text, 'base64').toString('utf8'));

/** What a seat stores at each boot. Nothing but these three fields is taken from it: a kubeconfig could name a program to run. */
const stored = z.object({
  clusters: z.tuple([z.object({ cluster: z.object({ 'certificate-authority-data': base64 }) })]),
  users: z.tuple([z.object({ user: z.object({ 'client-certificate-data': base64, 'client-key-data': base64 }) })]),
});

/**
 * Reads what the cluster's seat has stored for operators.
 * @throws CommandFailed if it is not there, not whole, or no longer valid
 */
export async function readCredentials(target: Target): Promise<Credentials> {
  return credentialsOf(await readStored(target), namesOf(target.cluster).kubeconfigParameter);
}

const issued = z.object({ ok: z.literal(true), hours: z.number() });

/**
 * As {@link readCredentials}; where the certificate has ended, or ends within the hour, a seat makes another one first.
 * @throws CommandFailed if none holds, and no seat makes one
 */
export async function currentCredentials(target: Target, signal: AbortSignal, now = Date.now()): Promise<Credentials> {
  // Where people have certificates of their own, no boot stores one.
  const text = await readStored(target, target.config?.access.length !== 0);
  // As of old: whether it still holds is what is asked here.
  const held = text === '' ? undefined : credentialsOf(text, namesOf(target.cluster).kubeconfigParameter, 0);
  if (held && Date.parse(held.expires) - now > SOON_MS) return held;
  try {
    const { id: instanceId } = await findSeat(target);
    await runOnNode(target, { instanceId, command: 'issue-kubeconfig', seconds: 120, result: issued }, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (held && Date.parse(held.expires) > now) return held;
    throw error;
  }
  return readCredentials(target);
}

/** @param mayLack true: none is no failure, and empty */
async function readStored({ cluster, region, description }: Target, mayLack = false): Promise<string> {
  const Name = namesOf(cluster).kubeconfigParameter;
  try {
    const { Parameter } = await new SSMClient({ region }).send(new GetParameterCommand({ Name, WithDecryption: true }));
    return Parameter?.Value ?? '';
  } catch (error) {
    if (!(error instanceof ParameterNotFound)) throw explainAws(error, description);
    if (mayLack) return '';
    throw new CommandFailed(
      `${description}, has no certificate for operators yet (${Name})`,
      'Its first seat makes one when it boots: drowse bootstrap makes the cluster, drowse status says how far it is.',
    );
  }
}

/**
 * The three texts of what a seat has stored, each checked.
 * @throws CommandFailed saying what is wrong with it
 */
export function credentialsOf(text: string, name: string, now = Date.now()): Credentials {
  const where = `What ${name} holds`;
  const remedy = 'Each boot of a seat stores it anew: drowse sleep, then drowse wake.';
  const parsed = stored.safeParse(parseYaml(text));
  if (!parsed.success) throw unusable(where, 'it has no certificates and key where a kubeconfig has them', remedy);
  const { clusters, users } = parsed.data;
  const ca = clusters[0].cluster['certificate-authority-data'];
  const { 'client-certificate-data': certificate, 'client-key-data': key } = users[0].user;
  return checkCredentials({ ca, certificate, key }, where, remedy, now);
}

/**
 * Three texts, each read as what it is.
 * @param where what they are of, for the message: `What … holds`
 * @throws CommandFailed saying what is wrong with them
 */
export function checkCredentials(
  { ca, certificate, key }: Pick<Credentials, 'ca' | 'certificate' | 'key'>,
  where: string,
  remedy: string,
  now = Date.now(),
): Credentials {
  const wrong = (what: string) => unusable(where, what, remedy);
  const authority = read(() => new X509Certificate(ca));
  const own = read(() => new X509Certificate(certificate));
  const secret = read(() => createPrivateKey(key));
  if (!authority?.ca) throw wrong('its authority is no certificate of one');
  if (!own) throw wrong('its certificate is none');
  if (!secret || !own.checkPrivateKey(secret)) throw wrong('its key does not belong to its certificate');
  if (!own.verify(authority.publicKey)) throw wrong('its certificate is not signed by its authority');
  const expires = own.validToDate.getTime();
  if (expires <= now) throw wrong(`its certificate expired ${duration(now - expires)} ago`);
  return { ca, certificate, key, expires: own.validToDate.toISOString() };
}

function unusable(where: string, what: string, remedy: string): CommandFailed {
  return new CommandFailed(`${where} is of no use: ${what}`, remedy);
}

/** A sentence on a certificate that ends soon; nothing otherwise. */
export function soonExpired({ expires }: Credentials, now = Date.now()): string | undefined {
  const left = Date.parse(expires) - now;
  return left > SOON_MS ? undefined : `The certificate ends in ${duration(left)}.`;
}

function parseYaml(text: string): unknown {
  // Not this one's aliases: a small text could stand for a huge one.
  return read(() => parse(text, { maxAliasCount: 0 }) as unknown);
}

function read<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined; // The caller says of what.
  }
}
