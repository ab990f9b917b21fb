import { randomBytes } from 'node:crypto';
import type { FastifyRequest } from 'fastify';

const NAME = 'visitor';
const DAY_SECONDS = 24 * 3600;
/** What the page's cookies look like; anything else a client made itself, and is none. */
const COOKIE = /(?:^|;\s*)visitor=([\w-]{22})(?:;|$)/;

/** Who sent a photo, as far as anybody can tell. */
export interface Client {
  address: string;
  /** Out of the page's cookie; undefined without one. */
  visitor: string | undefined;
}

/** Whoever sends a request: by its address, and by the page's cookie if it has one. */
export function clientOf({ ip, headers }: Pick<FastifyRequest, 'ip' | 'headers'>): Client {
  return { address: ip, visitor: COOKIE.exec(headers.cookie ?? '')?.[1] };
}

/**
 * A cookie that says of its holder nothing but that it is the same one: somebody whose address changes has no more photos in
 * the server than others. It is forgotten after a day, and kept nowhere here.
 */
export function newCookie({ protocol }: Pick<FastifyRequest, 'protocol'>): string {
  const secure = protocol === 'https' ? '; Secure' : '';
  const value = randomBytes(16).toString('base64url');
  return `${NAME}=${value}; Path=/; Max-Age=${String(DAY_SECONDS)}; HttpOnly; SameSite=Strict${secure}`;
}
