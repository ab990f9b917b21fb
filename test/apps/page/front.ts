import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { handler as manageLinks } from '../../../lambdas/manage-links/handler';
import { handler as servePage } from '../../../lambdas/serve-page/handler';
import { withClients } from '../../../lambdas/shared/clients/clients';
import { LinkKey } from '../../../lambdas/shared/links/link-key';
import { LinkStore } from '../../../lambdas/shared/links/link-store';
import { sealLink } from '../../../lambdas/shared/links/token';
import type { Right } from '../../../core/links/link';
import { parseConfig } from '../../../lib/config/load';
import { apiEvent, NO_CONTEXT } from '../../../sim/api-event';
import { ACCOUNT, Model, REGION } from '../../../sim/model';
import { environmentOf } from '../../../sim/steps';

const EXECUTION = `arn:aws:states:${REGION}:${ACCOUNT}:execution:drowse-wake:one`;
/** A cluster with an app that people know by its name, and with nights. */
const CONFIG = `
app: { domain: app.example.org, email: ops@example.org }
schedules: [{ name: nights, days: [mon, tue, wed, thu, fri], sleep: '19:00', wake: '07:00', timeZone: Europe/Berlin }]
idle: { enabled: true }
`;

/** What a router answers to API Gateway. */
interface Result {
  statusCode?: number | undefined;
  body?: string | undefined;
  headers?: Record<string, unknown> | undefined;
  cookies?: string[] | undefined;
}

/** The page's function behind a server that acts API Gateway, on a model of AWS whose record a test writes. */
export class Front {
  readonly model = new Model(parseConfig(CONFIG));
  /** Every request that came, for example `GET /link/view`. */
  readonly asked: string[] = [];
  private server!: Server;

  async start(): Promise<void> {
    const { stepFunctions } = this.model;
    stepFunctions.start = (machineArn, input, name) => {
      const arn = `${machineArn.replace(':stateMachine:', ':execution:')}:${name}`;
      const status = 'RUNNING' as const;
      const record = { arn, machineArn, status, input: JSON.stringify(input), startedAt: new Date(), history: [] };
      stepFunctions.executions.set(arn, record);
      return record;
    };
    const instance = withClients(this.model.clients('serve-page'), () => servePage.instance(environmentOf(this.model)));
    this.server = createServer((request, response) => {
      void (async () => {
        const event = await eventOf(request);
        this.asked.push(`${request.method ?? ''} ${event.rawPath}`);
        const answer: Result = await instance(event, NO_CONTEXT);
        const cookies = answer.cookies ?? [];
        const headers = Object.entries(answer.headers ?? {}).map(([name, value]) => [name, String(value)] as const);
        response.writeHead(answer.statusCode ?? 500, {
          ...Object.fromEntries(headers),
          ...(cookies.length > 0 && { 'set-cookie': cookies }),
        });
        response.end(answer.body);
      })();
    });
    await new Promise<void>((resolve) => this.server.listen(0, 'localhost', resolve));
    this.set({ state: 'asleep', since: ago(3 * 3600) });
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  get base(): string {
    return `http://localhost:${String((this.server.address() as AddressInfo).port)}/`;
  }

  /** The cluster's record. */
  set(record: Record<string, unknown>): void {
    this.model.dynamo.items.set('cluster', { id: 'cluster', ...record });
  }

  /** The cluster as it is in the middle of a wake, with steps done and under way: [name, from, to] in seconds ago. */
  waking(steps: readonly [name: string, from: number, to?: number][]): void {
    const since = steps[0]?.[1] ?? 0;
    const lease = { owner: EXECUTION, workflow: 'wake', requestedBy: 'link:Ann', reason: 'the demo', step: 'x' };
    this.set({ state: 'waking', since: ago(since), lease: { ...lease, since: ago(since), until: ago(-900) } });
    const at = (seconds: number) => new Date(Date.now() - seconds * 1000);
    const history = steps.flatMap(([name, from, to], index) => [
      { id: 2 * index + 1, type: 'TaskStateEntered' as const, timestamp: at(from), stateEnteredEventDetails: { name } },
      ...(to === undefined
        ? []
        : [
            {
              id: 2 * index + 2,
              type: 'TaskStateExited' as const,
              timestamp: at(to),
              stateExitedEventDetails: { name },
            },
          ]),
    ]);
    const machineArn = EXECUTION.replace(/:execution:(.*):one$/, ':stateMachine:$1');
    const execution = { arn: EXECUTION, machineArn, status: 'RUNNING' as const, input: '{}', startedAt: new Date() };
    this.model.stepFunctions.executions.clear();
    this.model.stepFunctions.executions.set(EXECUTION, { ...execution, history });
  }

  awake(): void {
    this.model.stepFunctions.executions.clear();
    this.set({ state: 'awake', since: ago(5) });
  }

  /** A link's address, as `drowse link` gives it out. */
  async link(rights: readonly Right[] = ['wake'], name = 'Ann'): Promise<{ url: string; secret: string; id: string }> {
    const manage = withClients(this.model.clients('manage-links'), () =>
      manageLinks.instance(environmentOf(this.model)),
    );
    const made = await manage(apiEvent('POST /links', { body: JSON.stringify({ name, rights }) }), NO_CONTEXT);
    const { secret, id } = JSON.parse(made.body ?? '') as { secret: string; id: string };
    return { url: `${this.base}#${secret}`, secret, id };
  }

  /** The address of a link that ran out a minute ago. */
  async expiredLink(): Promise<string> {
    await this.link(); // There is a key from the first link on.
    const { ssm, dynamo } = this.model.clients('serve-page');
    const { LINK_KEY_PARAMETER = '', TABLE_NAME = '' } = environmentOf(this.model);
    const key = await new LinkKey(ssm, LINK_KEY_PARAMETER).read();
    const link = { id: 'over', name: 'Ann', rights: ['look', 'wake'], expiresAt: ago(60) } as const;
    await new LinkStore(dynamo, TABLE_NAME).create(link, 'test');
    return `${this.base}#${sealLink(key ?? Buffer.of(), this.model.config.name, link)}`;
  }

  async revoke(id: string): Promise<void> {
    const manage = withClients(this.model.clients('manage-links'), () =>
      manageLinks.instance(environmentOf(this.model)),
    );
    await manage(apiEvent(`DELETE /links/${id}`), NO_CONTEXT);
  }
}

/** A time so many seconds ago, UTC ISO. */
export function ago(seconds: number): string {
  return new Date(Date.now() - seconds * 1000).toISOString();
}

async function eventOf(request: IncomingMessage) {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { pathname, search } = new URL(request.url ?? '/', 'http://localhost');
  const { cookie, ...headers } = request.headers;
  const event = apiEvent(`${request.method ?? 'GET'} ${pathname}`, { authorizer: {} });
  return {
    ...event,
    rawPath: pathname,
    rawQueryString: search.slice(1),
    headers,
    ...(cookie !== undefined && { cookies: cookie.split('; ') }),
    ...(chunks.length > 0 && { body: Buffer.concat(chunks).toString() }),
  };
}
