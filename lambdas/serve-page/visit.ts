import { ForbiddenError, HttpError, UnauthorizedError } from '@aws-lambda-powertools/event-handler/http';
import type { Link, Right } from '../../core/links/link';
import { RIGHTS_IN_WORDS } from '../../core/links/link';
import { parseJson } from '../../core/parse-json';
import type { LinkKey } from '../shared/links/link-key';
import { CHANGE, type LinkStore, LOOK } from '../shared/links/link-store';
import { isPageToken, LinkRefused, openLink, pageToken } from '../shared/links/token';

/** Name of the cookie that holds a link's secret. `__Host-`: no other host can set it, and it never goes out unencrypted. */
const COOKIE = '__Host-drowse';

/** A link has asked for too much in a minute. */
export class TooOften extends HttpError {
  override readonly name = 'TooOften';
  override readonly statusCode = 429;
  override readonly errorType = 'TooOften';
  constructor() {
    super('This link has asked for too much in this minute: wait a moment');
  }
}

/** The page that the request came from is too old, or none of ours. */
export class NotFromPage extends HttpError {
  override readonly name = 'NotFromPage';
  override readonly statusCode = 403;
  override readonly errorType = 'NotFromPage';
  constructor() {
    super('The page was too old for that: press the button once more');
  }
}

export interface VisitDeps {
  cluster: string;
  key: Pick<LinkKey, 'read'>;
  links: Pick<LinkStore, 'read' | 'spend'>;
  now?: () => Date;
}

/** A request by a link that holds; what it may do is asked by {@link demand}. */
export interface Visit {
  link: Link;
  /** What buttons of a page for this link send along. */
  token: string;
  /** What the request carries, without the page's token; undefined if it carries nothing. */
  body: Record<string, unknown> | undefined;
}

/**
 * Lets a request in by the link that it shows: in the header for scripts, in the cookie for the page. A change by the cookie must
 * come from the page itself, which its token shows: no other site's form, no mail scanner and no preview knows it.
 * @param change true for what does more than look
 * @throws UnauthorizedError without a link that holds
 * @throws NotFromPage, TooOften
 */
export async function visit(deps: VisitDeps, req: Request, change: boolean): Promise<Visit> {
  const { now = () => new Date() } = deps;
  const bearer = /^Bearer (\S+)$/i.exec(req.headers.get('authorization') ?? '')?.[1];
  const secret = bearer ?? cookieOf(req);
  if (secret === undefined)
    throw new UnauthorizedError('There is no link: open the page by the one that you were sent');
  const { link, key } = await knownLink(deps, secret);
  if (!(await deps.links.spend(link.id, change ? CHANGE : LOOK))) {
    throw new TooOften();
  }
  const { token: given, ...body } = (change ? await readBody(req) : undefined) ?? {};
  if (change && bearer === undefined && !(typeof given === 'string' && isPageToken(key, link, given, now()))) {
    throw new NotFromPage();
  }
  return { link, token: pageToken(key, link, now()), body: change ? body : undefined };
}

/** @throws ForbiddenError if the link lacks a right */
export function demand({ rights }: Link, needs: readonly Right[]): void {
  for (const right of needs) {
    if (!rights.includes(right)) throw new ForbiddenError(`This link does not allow you to ${RIGHTS_IN_WORDS[right]}`);
  }
}

/** The link of a secret, if it holds: signed by this cluster, not expired, not revoked. @throws UnauthorizedError */
export async function knownLink({ cluster, key: keys, links, now = () => new Date() }: VisitDeps, secret: string) {
  const key = await keys.read();
  if (key === undefined) throw new UnauthorizedError('This cluster has no links yet');
  try {
    const link = openLink(key, cluster, secret, now());
    const record = (await links.read()).get(link.id);
    if (record === undefined || record.revokedAt !== undefined) {
      throw new LinkRefused('This link was revoked: ask whoever sent it for another');
    }
    return { link, key };
  } catch (error) {
    throw error instanceof LinkRefused ? new UnauthorizedError(error.message) : error;
  }
}

/** The cookie that lets the page in until the link expires; without a secret, the one that ends that. */
export function cookieFor(secret: string, seconds: number): string {
  return `${COOKIE}=${secret}; Path=/; Max-Age=${String(Math.max(0, Math.floor(seconds)))}; Secure; HttpOnly; SameSite=Lax`;
}

function cookieOf(req: Request): string | undefined {
  const cookies = (req.headers.get('cookie') ?? '').split(/;\s*/);
  return cookies.find((cookie) => cookie.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1);
}

/** A form's fields, without those that were left empty, or an object of JSON. Undefined for anything else. */
export async function readBody(req: Request): Promise<Record<string, unknown> | undefined> {
  const text = await req.text();
  if (
    (req.headers.get('content-type') ?? '').startsWith('application/x-www-form-urlencoded') &&
    !text.startsWith('{')
  ) {
    return Object.fromEntries([...new URLSearchParams(text)].filter(([, value]) => value !== ''));
  }
  const body = text.trim() === '' ? {} : parseJson(text);
  return typeof body === 'object' && body !== null && !Array.isArray(body) ? { ...body } : undefined;
}
