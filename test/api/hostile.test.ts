import { ROUTES, type Route } from '../../core/api/routes';
import { handler as getReport } from '../../lambdas/get-report/handler';
import { handler as getStatus } from '../../lambdas/get-status/handler';
import { handler as issueCertificate } from '../../lambdas/issue-certificate/handler';
import { handler as keepAwake } from '../../lambdas/keep-awake/handler';
import { handler as manageLinks } from '../../lambdas/manage-links/handler';
import { handler as postponeSleep } from '../../lambdas/postpone-sleep/handler';
import { handler as requestSleep } from '../../lambdas/request-sleep/handler';
import { handler as requestWake } from '../../lambdas/request-wake/handler';
import { handler as servePage } from '../../lambdas/serve-page/handler';
import { withClients } from '../../lambdas/shared/clients/clients';
import { logger } from '../../lambdas/shared/clients/logger';
import { handler as skipNext } from '../../lambdas/skip-next/handler';
import { NO_CONTEXT } from '../../sim/api-event';
import type { Model } from '../../sim/model';
import { environmentOf } from '../../sim/steps';
import { live } from '../lambdas/support';
import { makeLink } from '../lambdas/visitor';

/** Requests of one run, and where they begin: another seed is another ten thousand. */
const REQUESTS = Number(process.env.DROWSE_REQUESTS ?? 10_000);
const SEED = Number(process.env.DROWSE_SEED ?? 20);

const HANDLERS = {
  'get-report': getReport,
  'get-status': getStatus,
  'keep-awake': keepAwake,
  'issue-certificate': issueCertificate,
  'manage-links': manageLinks,
  'postpone-sleep': postponeSleep,
  'request-sleep': requestSleep,
  'request-wake': requestWake,
  'serve-page': servePage,
  'skip-next': skipNext,
};
type Name = keyof typeof HANDLERS;

/** Which function answers a route, as the stack has it. */
const FUNCTION_OF: Readonly<Partial<Record<Route, Name>>> = {
  'GET /status': 'get-status',
  'GET /runs': 'get-report',
  'GET /schedule': 'get-report',
  'GET /cost': 'get-report',
  'GET /openapi.json': 'get-report',
  'POST /wake': 'request-wake',
  'POST /sleep': 'request-sleep',
  'PUT /keep-awake': 'keep-awake',
  'DELETE /keep-awake': 'keep-awake',
  'PUT /skip-next': 'skip-next',
  'DELETE /skip-next': 'skip-next',
  'POST /postpone-sleep': 'postpone-sleep',
  'POST /certificates': 'issue-certificate',
  'GET /links': 'manage-links',
  'POST /links': 'manage-links',
  'DELETE /links/{id}': 'manage-links',
};

interface Random {
  /** From 0 to below 1. */
  next: () => number;
  pick: <T>(from: readonly T[]) => T;
  chance: (part: number) => boolean;
}

function randomOf(seed: number): Random {
  let state = seed;
  const next = () => {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const pick = <T>(from: readonly T[]) => from[Math.floor(next() * from.length)] as T;
  return { next, pick, chance: (part) => next() < part };
}

const TEXTS = [
  '',
  ' ',
  '0',
  '-1',
  'null',
  'true',
  '../../etc/passwd',
  '%00',
  '%',
  '%zz',
  "' OR 1=1 --",
  '<script>alert(1)</script>',
  '${jndi:ldap://x}',
  '$(reboot)',
  '\u0000',
  '\ud800',
  '𝒜'.repeat(50),
  'x'.repeat(9_000),
  '__proto__',
  'constructor',
  'toString',
  'all',
  'NaN',
  '1e999',
  '2026-11-20T22:00',
  '9999-12-31T23:59:59Z',
  'arn:aws:iam::1:user/x',
  'a.b',
  `${'a'.repeat(100)}.${'b'.repeat(43)}`,
];

const text = (random: Random) => random.pick(TEXTS);

function value(random: Random, depth = 0): unknown {
  if (depth > 4 || random.chance(0.6)) return random.pick([text(random), 0, -1, 1e308, true, null, [], {}]);
  if (random.chance(0.3)) return Array.from({ length: 3 }, () => value(random, depth + 1));
  const keys = [
    'until',
    'hours',
    'workflow',
    'reason',
    'secret',
    'token',
    'name',
    'rights',
    'days',
    '__proto__',
    text(random),
  ];
  return Object.fromEntries(Array.from({ length: 4 }, () => [random.pick(keys), value(random, depth + 1)]));
}

function body(random: Random): string | undefined {
  return random.pick<() => string | undefined>([
    () => undefined,
    () => text(random),
    () => JSON.stringify(value(random)),
    () => JSON.stringify({ until: text(random), workflow: text(random), reason: value(random) }),
    () => `{"__proto__":{"rights":["wake"]},"token":${JSON.stringify(text(random))}}`,
    () => `secret=${text(random)}&token=${text(random)}&token=${text(random)}`,
    () => '['.repeat(5_000),
    () => '{"a":'.repeat(3_000),
    () => 'a=1&'.repeat(5_000),
  ])();
}

/** A secret that is a little wrong. */
function spoiled(random: Random, secret: string): string {
  const at = Math.floor(random.next() * (secret.length - 1));
  return random.pick([
    secret.slice(0, at),
    `${secret.slice(0, at)}${secret[at] === 'A' ? 'B' : 'A'}${secret.slice(at + 1)}`,
    `${secret}x`,
    secret.split('.').reverse().join('.'),
    `${secret.split('.')[0] ?? ''}.`,
    secret.toUpperCase(),
  ]);
}

interface Hostile {
  name: Name;
  event: Record<string, unknown>;
  /** True if whoever asks may not change anything. */
  powerless: boolean;
}

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'TRACE', 'BREW', ''];

function hostile(random: Random, links: { looks: string; wakes: string }): Hostile {
  const route = random.pick(Object.keys(ROUTES) as Route[]);
  const [usual = '', template = ''] = route.split(' ');
  const method = random.chance(0.9) ? usual : random.pick(METHODS);
  const path = random.chance(0.9)
    ? template.replace('{id}', random.chance(0.5) ? 'ab12' : encodeURIComponent(text(random).toWellFormed()))
    : random.pick([
        `${template}/`,
        `/${template}`,
        `${template}/..`,
        `${template}%2e`,
        '//',
        '/\\',
        '',
        `/${text(random)}`,
      ]);
  const signed = ROUTES[route].security === 'iam';
  // Of those with an identity only what they write is hostile: they may change something.
  const identified = signed && random.chance(0.3);
  const authorizer = identified
    ? { iam: { userArn: random.pick(['arn:aws:iam::1:user/ann', text(random) || 'x', 'schedule:nights']) } }
    : random.pick([
        undefined,
        null,
        {},
        [],
        'x',
        { iam: null },
        { iam: { userArn: '' } },
        { iam: { userArn: 7 } },
        { jwt: {} },
        { jwt: { claims: null } },
      ]);
  const powerful = !signed && random.chance(0.1);
  const secret = powerful
    ? links.wakes
    : random.pick([text(random), links.looks, spoiled(random, links.wakes), spoiled(random, links.looks)]);
  // A cookie without the page's token changes nothing, whatever its link may do.
  const byHeader = random.chance(0.5);
  const headers: Record<string, string> = {
    'content-type': random.pick([
      'application/json',
      'application/x-www-form-urlencoded',
      'text/plain',
      'multipart/form-data',
      text(random),
    ]),
    accept: random.pick(['*/*', 'text/html', 'text/html,*/*', 'application/json', text(random)]),
    host: text(random),
    'x-forwarded-proto': text(random),
    'x-forwarded-for': text(random),
    ...(byHeader && {
      authorization: random.pick(['Bearer ', 'bearer ', 'Bearer  ', 'Basic ', 'AWS4-HMAC-SHA256 ', '']) + secret,
    }),
  };
  const cookies = byHeader
    ? undefined
    : random.pick([[`__Host-drowse=${secret}`], [text(random), `__Host-drowse=${secret}`], [secret]]);
  const event = {
    version: '2.0',
    routeKey: route,
    rawPath: path,
    rawQueryString: random.pick([
      '',
      'seconds=0',
      `to=${text(random)}`,
      `problem=${text(random)}`,
      `seconds=${text(random)}`,
      'for=x',
      text(random),
    ]),
    // API Gateway lets no header through that HTTP does not know.
    headers: Object.fromEntries(Object.entries(headers).map(([key, one]) => [key, one.replace(/[^\x20-\x7e]/g, '?')])),
    ...(cookies && { cookies: cookies.map((one) => one.replace(/[^\x20-\x7e]/g, '?')) }),
    requestContext: { domainName: 'id.execute-api.us-east-1.amazonaws.com', http: { method, path }, authorizer },
    body: body(random),
    isBase64Encoded: random.chance(0.1),
  };
  return { name: FUNCTION_OF[route] ?? 'serve-page', event, powerless: !identified && !(powerful && byHeader) };
}

/** All that a request could have changed; how often a link has asked, and that it did, is no change. */
function fingerprint({ dynamo, ssm, stepFunctions }: Model): string {
  const items = [...dynamo.items].filter(([id]) => !id.startsWith('link#') && !/^event#.*#link-/.test(id));
  return JSON.stringify([items, [...ssm.parameters], [...stepFunctions.executions.keys()]]);
}

test('of ten thousand hostile requests over all routes none fails inside, and none changes anything without authority', () =>
  live(`schedules: [{ name: nights, days: [mon, fri], sleep: '19:00', wake: '07:00' }]`, async ({ model }) => {
    logger.setLogLevel('SILENT');
    const random = randomOf(SEED);
    const links = {
      looks: (await makeLink(model, [])).secret,
      wakes: (await makeLink(model, ['wake', 'sleep'])).secret,
    };
    // What starts is of no matter here.
    model.stepFunctions.start = (machineArn, input, name) => {
      const arn = `${machineArn.replace(':stateMachine:', ':execution:')}:${name}`;
      const status = 'SUCCEEDED' as const;
      const made = { arn, machineArn, status, input: JSON.stringify(input), startedAt: new Date(), history: [] };
      model.stepFunctions.executions.set(arn, made);
      return made;
    };
    const instances = new Map<Name, ReturnType<typeof getStatus.instance>>();
    for (const name of Object.keys(HANDLERS) as Name[]) {
      instances.set(
        name,
        withClients(model.clients(name), () => HANDLERS[name].instance(environmentOf(model))),
      );
    }
    const statuses = new Map<number, number>();
    for (let n = 0; n < REQUESTS; n += 1) {
      const { name, event, powerless } = hostile(random, links);
      const before = powerless ? fingerprint(model) : '';
      let status: number;
      try {
        status = (await instances.get(name)!(event, NO_CONTEXT)).statusCode ?? 0;
      } catch (error) {
        throw new Error(`Request ${String(n)} of seed ${String(SEED)} (${JSON.stringify(event).slice(0, 2000)})`, {
          cause: error,
        });
      }
      if (status >= 500 || (powerless && fingerprint(model) !== before)) {
        throw new Error(
          `Request ${String(n)} of seed ${String(SEED)} answers ${String(status)}: ${JSON.stringify(event).slice(0, 2000)}`,
        );
      }
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    // Each kind of answer has been given: the requests are hostile, and not only nonsense.
    expect([200, 202, 303, 400, 401, 403, 404, 429].filter((status) => !statuses.has(status))).toEqual([]);
  }));
