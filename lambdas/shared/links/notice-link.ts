import { logger } from '../clients/logger';
import type { LinkKey } from './link-key';
import type { LinkStore } from './link-store';
import { sealLink } from './token';

/** How long a notice's link holds (ms): who reads it later has no use for it. */
const HOLDS_MS = 24 * 3_600_000;
/** All notices share one place among the links: a new one takes it over, and one revocation ends them. */
const ID = 'notice';

export interface NoticeLinkDeps {
  cluster: string;
  key: Pick<LinkKey, 'read'>;
  links: Pick<LinkStore, 'create'>;
  /** Address of the page. */
  pageUrl: string;
  now?: () => Date;
}

/**
 * A link that lets whoever reads a notice keep the cluster awake, and nothing else, for a day. Undefined where no link was ever made
 * (there is no key then) or it can't be made now: the notice goes out without.
 */
export async function noticeLink(deps: NoticeLinkDeps): Promise<string | undefined> {
  const { cluster, key: keys, links, pageUrl, now = () => new Date() } = deps;
  try {
    const key = await keys.read();
    if (key === undefined) return undefined;
    const expiresAt = new Date(Math.floor((now().getTime() + HOLDS_MS) / 1000) * 1000).toISOString();
    const link = { id: ID, name: 'Notice', rights: ['look', 'keep-awake'], expiresAt } as const;
    await links.create(link, 'notices');
    return `${pageUrl}/#${sealLink(key, cluster, link)}`;
  } catch (error) {
    logger.warn('Notice goes out without a link', error as Error);
    return undefined;
  }
}
