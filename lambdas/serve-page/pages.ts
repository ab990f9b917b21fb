import { HttpError } from '@aws-lambda-powertools/event-handler/http';
import type { RequestContext } from '@aws-lambda-powertools/event-handler/types';
import { toResponse } from '../shared/api/api';
import { logger } from '../shared/clients/logger';
import type { ClusterStore } from '../shared/record/cluster-store';
import { backToPage, htmlAnswer, isForm, isScript } from './answers';
import { type Change, makeChange } from './changes';
import { mainOf, problemOf, signIn, titleOf } from './page';
import { readView, type ViewDeps } from './view';
import { cookieFor, knownLink, readBody, visit, type Visit, type VisitDeps } from './visit';
import { waitFor } from './wait';

export interface PageDeps extends ViewDeps, VisitDeps {
  store: ClusterStore;
  cluster: string;
  now?: () => Date;
  /** In which times are shown until the reader's own zone is known. */
  timeZone: string;
}

type Page = (deps: PageDeps) => (request: RequestContext) => Promise<Response>;

/** `GET /`: the page. Whoever comes without a link, or with one that ended, is asked for one: nothing else is told. */
export const getPage: Page =
  (deps) =>
  async ({ req }) => {
    const problem = problemOf(new URL(req.url).searchParams.get('problem'));
    const known = await visit(deps, req, false).catch((error: unknown) => {
      if (error instanceof HttpError && error.statusCode === 401) return undefined;
      throw error;
    });
    return known
      ? show(deps, req, known, { problem })
      : htmlAnswer(deps.appUrl, { title: 'drowse', main: signIn(problem, wantedBy(req)) });
  };

/** `GET /link/view`: the same, for the page's own script. */
export const getView: Page =
  (deps) =>
  async ({ req }) =>
    show(deps, req, await visit(deps, req, false), {});

/** `POST /link/session`: a link's secret is exchanged for the cookie, so that it stands in no address any more. */
export const openSession: Page =
  (deps) =>
  async ({ req }) => {
    const { secret } = (await readBody(req)) ?? {};
    const { link } = await knownLink(deps, typeof secret === 'string' ? secret : '');
    const { now = () => new Date() } = deps;
    const cookie = cookieFor(String(secret), (Date.parse(link.expiresAt) - now().getTime()) / 1000);
    logger.info('Link opened', { link: link.id, person: link.name });
    if (isForm(req)) return backToPage(req, undefined, cookie);
    if (!isScript(req)) return toResponse({ statusCode: 200, body: { message: `Welcome, ${link.name}` } }, cookie);
    const authorization = `Bearer ${String(secret)}`;
    return show(deps, req, await visit(deps, new Request(req.url, { headers: { authorization } }), false), { cookie });
  };

/** `POST /link/leave`: the cookie goes; the link itself still holds. */
export const leave: Page =
  () =>
  ({ req }) => {
    const cookie = cookieFor('', 0);
    const body = { message: 'The link is forgotten on this device' };
    return Promise.resolve(
      isForm(req) ? backToPage(req, undefined, cookie) : toResponse({ statusCode: 200, body }, cookie),
    );
  };

/** `GET /link/status`: all that the page shows, as JSON. */
export const getLinkStatus: Page =
  (deps) =>
  async ({ req }) => {
    const { link } = await visit(deps, req, false);
    return toResponse({ statusCode: 200, body: await readView(deps, link) });
  };

/** `GET /link/wait`: answers when it is there. */
export const getWait: Page =
  (deps) =>
  async ({ req }) => {
    await visit(deps, req, false);
    return toResponse(await waitFor(deps, new URL(req.url).searchParams));
  };

/** `POST /link/…`: what changes something. */
export const changeBy =
  (name: string, make: (deps: PageDeps) => Change): Page =>
  (deps) => {
    const change = make(deps);
    return async (request) => {
      const { req } = request;
      const answer = await makeChange(deps, [name, change], await visit(deps, req, true), request);
      if (!isForm(req)) return toResponse(answer);
      return backToPage(req, answer.statusCode < 400 ? undefined : 'refused');
    };
  };

async function show(
  deps: PageDeps,
  req: Request,
  { link, token }: Visit,
  { problem, cookie }: { problem?: string | undefined; cookie?: string },
): Promise<Response> {
  const view = await readView(deps, link);
  const main = mainOf({ view, token, problem, timeZone: deps.timeZone, to: wantedBy(req) });
  return htmlAnswer(deps.appUrl, { title: titleOf(view), main, cookie });
}

/** A longer way into the app is forgotten: each of the page's forms carries it along. */
const LONGEST = 2_000;

/** The page of the app to which the reader wanted to go; never another site's. */
export function wantedBy(req: Request): string {
  const to = new URL(req.url).searchParams.get('to') ?? '/';
  return /^\/(?![/\\])/.test(to) && to.length <= LONGEST ? to : '/';
}
