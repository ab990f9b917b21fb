import { accessEnvironment } from '../../core/access/person';
import { logger } from '../../lambdas/shared/clients/logger';
import { parseConfig } from '../../lib/config/load';
import type { Twin } from '../../sim/run';
import { seconds } from '../../sim/virtual-time';
import { makeRequest } from '../../cli/drowse/reach/request';
import { live, liveAwake } from './support';
import { type Answer, front } from './visitor';

beforeAll(() => logger.setLogLevel('SILENT'));

const ACCOUNT = '123456789012';
const SSO = 'AWSReservedSSO_Admin_0123456789abcdef';
const { ACCESS } = accessEnvironment(
  parseConfig(`
access:
  - { arn: 'arn:aws:iam::${ACCOUNT}:role/teams/ml/Developers' }
  - { arn: 'arn:aws:iam::${ACCOUNT}:role/aws-reserved/sso.amazonaws.com/eu-west-1/${SSO}', groups: [drowse:viewers, 'team:a'] }
  - { arn: 'arn:aws:iam::${ACCOUNT}:user/people/bob', groups: [drowse:viewers] }
  - { arn: 'arn:aws:iam::${ACCOUNT}:role/AVeryLongNameThatSomeToolMadeOfStackAndConstruct', name: ops }
`).access,
);
const { request } = makeRequest();

interface Asking {
  arn: string;
  body?: object;
  access?: string;
}

const post = ({ model }: Twin, { arn, body = { request }, access = ACCESS }: Asking): Promise<Answer> =>
  front(model, 'issue-certificate', { ACCESS: access })('POST /certificates', { arn, body: JSON.stringify(body) });

/** Asks until there is an answer. */
async function ask(twin: Twin, asking: Asking): Promise<Answer> {
  for (let tries = 0; tries < 20; tries += 1) {
    const answer = await post(twin, asking);
    if (answer.status !== 202) return answer;
    await seconds(1);
  }
  throw new Error('no answer');
}

const sts = (rest: string) => `arn:aws:sts::${ACCOUNT}:${rest}`;
const iam = (rest: string, account = ACCOUNT) => `arn:aws:iam::${account}:${rest}`;

/** What seats were asked to sign. */
const signed = ({ model }: Twin) =>
  model.calls
    .of('SendCommand')
    .filter(({ caller }) => caller === 'issue-certificate')
    .map(({ input }) => (input as { Parameters: Record<string, string[]> }).Parameters);

test.each([
  ['a session of a role with a path', sts('assumed-role/Developers/ann'), 'Developers/ann', ['drowse:operators']],
  [
    'a person of IAM Identity Center',
    sts(`assumed-role/${SSO}/ann@example.com`),
    'sso:Admin/ann@example.com',
    ['drowse:viewers', 'team:a'],
  ],
  ['a user with a path', iam('user/people/bob'), 'bob', ['drowse:viewers']],
  [
    'a session of a role that has another name here',
    sts('assumed-role/AVeryLongNameThatSomeToolMadeOfStackAndConstruct/ann@example.com'),
    'ops/ann@example.com',
    ['drowse:operators'],
  ],
])('%s gets a certificate of that name', (_, arn, user, groups) =>
  liveAwake('', async (twin) => {
    expect(await post(twin, { arn })).toMatchObject({ status: 202, json: { user, groups } });
    expect(await ask(twin, { arn })).toMatchObject({ status: 200, json: { user, groups } });
    // However often it asks, a seat signs once, and what was asked for.
    expect(signed(twin)).toMatchObject([{ User: [user], Groups: [groups.join(',')], Request: [request] }]);
  }),
);

test.each([
  ['a role that is not named', sts('assumed-role/Other/ann')],
  ['a user with the name of a role', iam('user/Developers')],
  ['a role with the name of a user', sts('assumed-role/bob/bob')],
  ['the same role of another account', 'arn:aws:sts::999999999999:assumed-role/Developers/ann'],
  ['a session that looks like a role', sts('assumed-role/Other/Developers')],
  ['a federated user', sts('federated-user/bob')],
  ['the account’s root', iam('root')],
  ['what is no ARN', '__proto__'],
])('refuses %s, and asks no seat', (_, arn) =>
  liveAwake('', async (twin) => {
    const { status, json } = await post(twin, { arn });
    expect([status, json.error, json.message]).toEqual([403, 'NotMapped', expect.stringContaining(arn)]);
    expect(signed(twin)).toEqual([]);
  }),
);

test.each([
  ['nothing', {}],
  ['PEM', { request: '-----BEGIN CERTIFICATE REQUEST-----' }],
  ['what a shell would read', { request: `${'A'.repeat(120)}$(id)` }],
  ['more than any request has', { request: 'A'.repeat(1_004) }],
])('refuses a body with %s', (_, body) =>
  liveAwake('', async (twin) => {
    const answer = await post(twin, { arn: iam('user/people/bob'), body });
    expect(answer).toMatchObject({ status: 400, json: { error: 'InvalidInput' } });
    expect(signed(twin)).toEqual([]);
  }),
);

test('what the request says of its owner is not even read', () =>
  liveAwake('', async (twin) => {
    const body = { request, user: 'kubernetes-admin', groups: ['system:masters'] };
    await ask(twin, { arn: iam('user/people/bob'), body });
    expect(signed(twin)).toMatchObject([{ User: ['bob'], Groups: ['drowse:viewers'] }]);
  }));

test('who is given less meanwhile gets no answer of before', () =>
  liveAwake('', async (twin) => {
    const arn = iam('user/people/bob');
    await ask(twin, { arn });
    const less = JSON.stringify({ [`${ACCOUNT}:user:bob`]: ['bob', ['team:a']] });
    expect(await ask(twin, { arn, access: less })).toMatchObject({ status: 200, json: { groups: ['team:a'] } });
    expect(signed(twin).map(({ Groups }) => Groups)).toEqual([['drowse:viewers'], ['team:a']]);
  }));

test('a name that no certificate can carry is refused with what to do', () =>
  liveAwake('', async (twin) => {
    const answer = await post(twin, { arn: sts(`assumed-role/Developers/${'a'.repeat(60)}`) });
    expect(answer).toMatchObject({ status: 409, json: { error: 'NameTooLong' } });
    expect(answer.json.message).toContain('give the role a short name');
  }));

test('without access: nobody gets one', () =>
  liveAwake('', async (twin) => {
    const answer = await post(twin, { arn: iam('user/people/bob'), access: '{}' });
    expect(answer).toMatchObject({ status: 404, json: { error: 'NoAccess' } });
  }));

test('a cluster that sleeps signs nothing', () =>
  live('', async (twin) => {
    const answer = await post(twin, { arn: iam('user/people/bob') });
    expect(answer).toMatchObject({ status: 409, json: { error: 'ApiNotReady' } });
    expect(answer.json.message).toContain('Is the cluster awake?');
  }));

test('what a seat refuses is told, and can be asked for again', () =>
  liveAwake('', async (twin) => {
    const { documents } = twin.model.ssm;
    const sign = documents.get('drowse-issue-certificate')!;
    const failed = { ok: false, error: 'BadRequest', message: 'the key must be of the elliptic curve P-256' };
    documents.set('drowse-issue-certificate', () => ({ seconds: 1, result: failed }));
    const arn = iam('user/people/bob');
    expect(await ask(twin, { arn })).toMatchObject({ status: 502, json: { error: 'BadRequest' } });
    documents.set('drowse-issue-certificate', sign);
    expect(await ask(twin, { arn })).toMatchObject({ status: 200 });
  }));
