import { handler as issueCertificate } from '../../lambdas/issue-certificate/handler';
import { handler as manageLinks } from '../../lambdas/manage-links/handler';
import { handler as servePage } from '../../lambdas/serve-page/handler';
import { withClients } from '../../lambdas/shared/clients/clients';
import type { Right } from '../../core/links/link';
import { apiEvent, CALLER, NO_CONTEXT } from '../../sim/api-event';
import type { Model } from '../../sim/model';
import { environmentOf } from '../../sim/steps';
import { answerProblems, DOCUMENTED } from '../support/api-document';

/** What a function answers to API Gateway. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  cookies: string[];
  text: string;
  json: Record<string, unknown>;
}

interface Asked {
  headers?: Record<string, string>;
  cookies?: string[];
  body?: string | undefined;
  query?: string;
  /** Who asks, of what is signed. */
  arn?: string;
}

/** As the router answers, with what only the newer of its two forms has. */
interface Result {
  statusCode?: number | undefined;
  body?: string | undefined;
  headers?: Record<string, unknown> | undefined;
  cookies?: string[] | undefined;
}

const HANDLERS = { 'issue-certificate': issueCertificate, 'manage-links': manageLinks, 'serve-page': servePage };

/** One instance of a function of the API: what it answers to a route. */
export function front(model: Model, name: keyof typeof HANDLERS, more: NodeJS.ProcessEnv = {}) {
  const instance = withClients(model.clients(name), () =>
    HANDLERS[name].instance({ ...environmentOf(model), ...more }),
  );
  return async (
    route: string,
    { headers = {}, cookies, body, query = '', arn = CALLER }: Asked = {},
  ): Promise<Answer> => {
    const signed = name !== 'serve-page';
    const event = apiEvent(route, { body, authorizer: signed ? { iam: { userArn: arn } } : {} }) as { headers: object };
    const answer: Result = await instance(
      { ...event, headers: { ...event.headers, ...headers }, ...(cookies && { cookies }), rawQueryString: query },
      NO_CONTEXT,
    );
    const { statusCode: status = 0, body: text = '', headers: given = {}, cookies: set = [] } = answer;
    const json = String(given['content-type']).startsWith('application/json')
      ? (JSON.parse(text) as Record<string, unknown>)
      : {};
    const documented = route.replace(/^(DELETE \/links\/).*/, '$1{id}');
    // API Gateway lets no other route through to a function.
    const known = DOCUMENTED.some((one) => one.route === documented);
    const isJson = String(given['content-type']).startsWith('application/json');
    const problems = known && isJson ? answerProblems(documented, status, json) : [];
    if (!known) expect([status, json.error]).toEqual([404, 'NotFoundError']);
    expect(problems).toEqual([]);
    return { status, headers: given as Record<string, string>, cookies: set, text, json };
  };
}

/** A link for somebody, made as `drowse link` makes it. */
export async function makeLink(model: Model, rights: readonly Right[] = ['wake'], name = 'Ann', days = 30) {
  const { status, json } = await front(model, 'manage-links')('POST /links', {
    body: JSON.stringify({ name, rights, days }),
  });
  expect(status).toBe(201);
  return json as { id: string; secret: string; rights: Right[]; expiresAt: string };
}

export const bearer = (secret: string) => ({ headers: { authorization: `Bearer ${secret}` } });
export const cookie = (secret: string) => ({ cookies: [`other=1`, `__Host-drowse=${secret}`] });

/** A page as it reads, whatever stands between its tags. */
export function read(page: string): string {
  return page.replace(/\s+/g, ' ').replace(/(>) | (<)/g, '$1$2');
}

/** What the page's form sends along. */
export function tokenIn(page: string): string {
  return /name="token" value="([\w-]+)"/.exec(page)?.[1] ?? '';
}
