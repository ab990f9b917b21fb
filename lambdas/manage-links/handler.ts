import { randomBytes } from 'node:crypto';
import { newLinkBody } from '../../core/api/bodies';
import { RIGHTS } from '../../core/links/link';
import { api, type ApiRoute, bodyOf } from '../shared/api/api';
import { dynamo, ssm } from '../shared/clients/clients';
import { LinkKey } from '../shared/links/link-key';
import { LinkStore, TooManyLinks } from '../shared/links/link-store';
import { sealLink } from '../shared/links/token';
import { env } from './env';

const DAY_MS = 86_400_000;

interface Deps {
  cluster: string;
  key: LinkKey;
  keyId: string;
  links: LinkStore;
  now?: () => Date;
}

/** Makes a link. Its secret is told once, here, and kept nowhere. */
export const createLink =
  ({ cluster, key, keyId, links, now = () => new Date() }: Deps): ApiRoute =>
  async (request) => {
    const { name, rights, days } = await bodyOf(request, newLinkBody);
    const id = randomBytes(6).toString('hex');
    const expiresAt = new Date(Math.floor((now().getTime() + days * DAY_MS) / 1000) * 1000).toISOString();
    const granted = RIGHTS.filter((right) => right === 'look' || rights.includes(right));
    const link = { id, name, rights: granted, expiresAt };
    try {
      await links.create(link, request.caller);
    } catch (error) {
      if (!(error instanceof TooManyLinks)) throw error;
      return { statusCode: 409, body: { error: error.name, message: error.message } };
    }
    const secret = sealLink(await key.readOrMake(keyId), cluster, link);
    return { statusCode: 201, body: { ...link, secret, message: `A link for ${name}, until ${expiresAt}` } };
  };

/** The links that there are, without their secrets, newest first. */
export const listLinks =
  ({ links }: Deps): ApiRoute =>
  async () => {
    const all = [...(await links.read())].map(([id, link]) => ({ id, ...link }));
    return { statusCode: 200, body: { links: all.sort((a, b) => b.createdAt.localeCompare(a.createdAt)) } };
  };

/** Ends a link, or all of them at once: those get another key as well, so that no secret is worth anything. */
export const revokeLink =
  ({ key, keyId, links }: Deps): ApiRoute =>
  async (request) => {
    const { id = '' } = request.params ?? {};
    if (id === 'all') {
      await key.replace(keyId);
      for (const one of (await links.read()).keys()) await links.revoke(one, request.caller);
      return { statusCode: 200, body: { message: 'No link that was made before now is valid' } };
    }
    if (await links.revoke(id, request.caller)) return { statusCode: 200, body: { message: `Link ${id} is revoked` } };
    return { statusCode: 404, body: { error: 'NoSuchLink', message: `There is no link ${id}: GET /links lists them` } };
  };

export const handler = api(
  {
    name: 'manage-links',
    env,
    deps: (env) => ({
      cluster: env.CLUSTER_NAME,
      key: new LinkKey(ssm(), env.LINK_KEY_PARAMETER),
      keyId: env.KMS_KEY_ID,
      links: new LinkStore(dynamo(), env.TABLE_NAME),
    }),
  },
  { 'GET /links': listLinks, 'POST /links': createLink, 'DELETE /links/{id}': revokeLink },
);
