import { createHmac, timingSafeEqual } from 'node:crypto';
import * as z from 'zod';
import { type Link, right } from '../../../core/links/link';
import { parseJson } from '../../../core/parse-json';

/** Why a link is refused; the message is for whoever holds it. */
export class LinkRefused extends Error {
  override readonly name = 'LinkRefused';
}

/** What a link's secret says, beside its signature. */
const claims = z.object({
  cluster: z.string(),
  id: z.string(),
  name: z.string(),
  rights: z.array(right),
  /** Epoch seconds. */
  expires: z.int(),
});

/** Two parts in base64url: what is claimed, and 32 bytes of HMAC-SHA-256 over it. */
const FORM = /^[\w-]{1,800}\.[\w-]{43}$/;
/** How long a page may be open before its buttons need a new token (ms). */
const PAGE_MS = 12 * 3_600_000;

/** The secret of a link: what it claims, signed. */
export function sealLink(key: Buffer, cluster: string, { id, name, rights, expiresAt }: Link): string {
  const expires = Math.floor(Date.parse(expiresAt) / 1000);
  const claimed: z.output<typeof claims> = { cluster, id, name, rights: [...rights], expires };
  const body = Buffer.from(JSON.stringify(claimed)).toString('base64url');
  return `${body}.${sign(key, 'link', body).toString('base64url')}`;
}

/** The link that a secret stands for. @throws LinkRefused */
export function openLink(key: Buffer, cluster: string, secret: string, now: Date): Link {
  const [body = '', signature = ''] = FORM.test(secret) ? secret.split('.') : [];
  const signed = body !== '' && isSame(sign(key, 'link', body), Buffer.from(signature, 'base64url'));
  const claimed = signed ? claims.safeParse(parseJson(Buffer.from(body, 'base64url').toString())).data : undefined;
  if (claimed === undefined) throw new LinkRefused('This link is not valid: ask whoever sent it for another');
  if (claimed.cluster !== cluster) throw new LinkRefused('This link is for another cluster');
  if (claimed.expires * 1000 <= now.getTime()) {
    throw new LinkRefused('This link has expired: ask whoever sent it for another');
  }
  const { id, name, rights, expires } = claimed;
  return { id, name, rights, expiresAt: new Date(expires * 1000).toISOString() };
}

/** What a page's buttons send along: nobody else's page can know it. */
export function pageToken(key: Buffer, { id }: Pick<Link, 'id'>, now: Date): string {
  return tokenOf(key, id, Math.floor(now.getTime() / PAGE_MS));
}

/** True for a token of a page that was shown to this link in the last hours. */
export function isPageToken(key: Buffer, { id }: Pick<Link, 'id'>, token: string, now: Date): boolean {
  const spell = Math.floor(now.getTime() / PAGE_MS);
  const given = Buffer.from(token);
  // Both are compared, whatever the first says.
  const matches = [spell, spell - 1].map((one) => isSame(Buffer.from(tokenOf(key, id, one)), given));
  return matches.includes(true);
}

function tokenOf(key: Buffer, id: string, spell: number): string {
  return sign(key, 'page', `${id} ${String(spell)}`).toString('base64url');
}

/** A signature for one purpose is none for another. */
function sign(key: Buffer, purpose: 'link' | 'page', text: string): Buffer {
  return createHmac('sha256', key).update(`${purpose}\0${text}`).digest();
}

/** Compares in a time that says nothing of where two values differ. */
function isSame(expected: Buffer, given: Buffer): boolean {
  return given.length === expected.length && timingSafeEqual(given, expected);
}
