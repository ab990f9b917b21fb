import { createHmac } from 'node:crypto';
import { GetParameterCommand, type SSMClient } from '@aws-sdk/client-ssm';
import { bodyFor, type Webhook } from '../../core/news/webhooks';
import { logger } from '../../lambdas/shared/clients/logger';
import { sendNotice } from '../../lambdas/send-notice/handler';
import { parseConfig } from '../../lib/config/load';
import { runSchedules } from '../../sim/schedules';
import { front, bearer, makeLink } from './visitor';
import { liveAwake, thrownBy } from './support';

const NEWS = { cluster: 'drowse', id: 'm-1', subject: 'drowse is <asleep>', text: 'a & b', at: '2026-11-20T08:00:00Z' };
const EVENT = {
  Records: [{ Sns: { MessageId: 'm-1', Subject: NEWS.subject, Message: NEWS.text, Timestamp: NEWS.at } }],
};
const SECRET = 'a secret of sixteen';

/** Parameters by the webhook's name, and what its address answers, call by call. */
function sending(values: Record<string, string>, answers: (number | Error)[] = [200]) {
  const posted: { url: string; init: RequestInit }[] = [];
  const ssm = {
    send: ({ input }: GetParameterCommand) => {
      const Value = values[String(input.Name).split('/').at(-1) ?? ''];
      return Value === undefined
        ? Promise.reject(new Error('ParameterNotFound'))
        : Promise.resolve({ Parameter: { Value } });
    },
  } as unknown as SSMClient;
  const post = (url: string, init: RequestInit) => {
    posted.push({ url, init });
    const answer = answers.length > 1 ? answers.shift()! : answers[0]!;
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve({ ok: answer < 300, status: answer });
  };
  const waits: number[] = [];
  const send = (...webhooks: Webhook[]) =>
    sendNotice({
      ...{ cluster: 'drowse', root: '/drowse/drowse/webhook', webhooks, ssm, post },
      ...{ wait: (ms: number) => Promise.resolve(waits.push(ms)), now: () => 1_763_625_600_000 },
    })(EVENT);
  return { send, posted, waits };
}

const SLACK: Webhook = { name: 'team', kind: 'slack' };
const HTTPS: Webhook = { name: 'ops', kind: 'https' };
const URLS = {
  team: 'https://hooks.example.org/T1/secret',
  ops: JSON.stringify({ url: 'https://ops.example.org/in', secret: SECRET }),
};

beforeAll(() => logger.setLogLevel('SILENT'));

describe('a webhook', () => {
  test('of Slack or Teams gets the news as these take it, and nothing in it calls anybody', () => {
    expect(bodyFor('slack', NEWS)).toEqual({ text: '*drowse is &lt;asleep&gt;*\na &amp; b' });
    const [attachment] = (
      bodyFor('teams', NEWS) as { attachments: [{ contentType: string; content: { body: object[] } }] }
    ).attachments;
    expect(attachment.contentType).toBe('application/vnd.microsoft.card.adaptive');
    expect(attachment.content.body).toMatchObject([{ text: NEWS.subject }, { text: NEWS.text }]);
    const long = bodyFor('slack', { ...NEWS, text: 'x'.repeat(9_000) }) as { text: string };
    expect(long.text.length).toBeLessThan(2_600);
  });

  test('of anybody else gets JSON, signed with its secret and the time', async () => {
    const { send, posted } = sending(URLS);
    await expect(send(HTTPS)).resolves.toEqual({ sent: ['ops'] });
    const [{ url, init }] = posted as [(typeof posted)[number]];
    expect([url, init.redirect]).toEqual(['https://ops.example.org/in', 'error']);
    const body = init.body as string;
    expect(JSON.parse(body)).toEqual(NEWS);
    const signature = createHmac('sha256', SECRET).update(`1763625600.${body}`).digest('hex');
    expect(init.headers).toMatchObject({ 'drowse-timestamp': '1763625600', 'drowse-signature': `v1=${signature}` });
  });

  test('is tried three times; another hears of it all the same', async () => {
    const { send, posted, waits } = sending({ team: URLS.team }, [500, new Error('reset'), 200]);
    await expect(send(SLACK, HTTPS)).resolves.toEqual({ sent: ['team'] });
    expect([posted.length, waits]).toEqual([3, [1000, 2000]]);
  });

  test.each([
    ['does not take it', { team: URLS.team }, SLACK],
    ['has no address', {}, SLACK],
    ['has an address that is not HTTPS', { team: 'http://hooks.example.org' }, SLACK],
    ['has no secret to sign with', { ops: 'https://ops.example.org' }, HTTPS],
  ])('that %s, alone, makes Lambda call again; no error tells its address', async (_what, values, webhook) => {
    const { send } = sending(values, [500]);
    const error = await thrownBy(send(webhook));
    expect(error.name).toBe('NoticeNotSent');
    expect(JSON.stringify([error.message, String(error.cause)])).not.toContain('example.org');
  });

  test.each([
    ['a name that no parameter has', '{ name: "My Team", kind: slack }', /webhooks/],
    ['a kind that there is not', '{ name: team, kind: irc }', /slack/],
    ['its address in the file', '{ name: team, kind: slack, url: "https://x.example" }', /url/],
  ])('with %s is refused', (_what, yaml, message) => {
    expect(() => parseConfig(`notifications: { webhooks: [${yaml}] }`)).toThrow(message);
  });
});

test('a sleep of the schedules is told a quarter of an hour before, once, with a link that keeps the cluster awake and can no more', () =>
  liveAwake(`schedules: [{ name: evenings, days: [fri], sleep: '09:00' }]`, async (twin) => {
    const { model } = twin;
    await makeLink(model);
    await runSchedules(twin, 1.5);
    const told = model.sns.messages.filter(({ subject }) => subject.startsWith('drowse sleeps at'));
    expect(told).toHaveLength(1);
    const [, secret = ''] = /open https:\/\/\S+\/#(\S+) and say for how long/.exec(told[0]?.text ?? '') ?? [];
    expect(model.record.state).toBe('asleep');
    const ask = front(model, 'serve-page');
    expect((await ask('POST /link/wake', bearer(secret))).status).toBe(403);
    expect((await ask('POST /link/keep-awake', { ...bearer(secret), body: '{"hours":2}' })).status).toBe(200);
    expect(model.dynamo.items.get('overrides')).toMatchObject({ keepAwake: { by: 'link:Notice' } });
  }));
