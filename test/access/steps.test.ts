import { synthesize } from '../support/stacks';
import { dependentsOf } from './support/dependents';
import { type IamRequest, isAllowed } from './support/evaluate';
import { LIVED_CONFIG, recordLife, type Recorded } from './support/life';
import { requestsOf } from './support/requests';
import { actionsOf, roleOfStep, rolesOf, type SynthesizedRole } from './support/roles';

/** Granted to every function for its own log group; the runtime writes there, not the handler. */
const RUNTIME = ['logs:CreateLogStream', 'logs:PutLogEvents'];
const OWN_KEY = 'arn:aws:kms:us-east-1:123456789012:key/12345678-1234-1234-1234-123456789012';

describe('steps', () => {
  const roles = rolesOf(synthesize(LIVED_CONFIG));
  const rolesWithKey = rolesOf(synthesize(`${LIVED_CONFIG}\nencryption: { kmsKeyArn: '${OWN_KEY}' }`));
  const steps = roles.filter(({ description }) => description.startsWith('Step '));
  let recorded: Recorded[];
  beforeAll(async () => {
    recorded = await recordLife();
  });

  /** What IAM is asked for a recorded call, and for what AWS asks of the same caller behind it. */
  const questionsOf = ({ call, model }: Recorded, ownKeyArn?: string): IamRequest[] =>
    requestsOf(call, model).flatMap((request) => [request, ...dependentsOf(request, ownKeyArn)]);

  /** Of thousands of calls the few hundred different questions, and those that are answered with no. */
  async function ask(of: readonly SynthesizedRole[], ownKeyArn?: string) {
    const asked = new Map<string, { role: SynthesizedRole; request: IamRequest }>();
    for (const one of recorded) {
      const { caller } = one.call;
      for (const request of questionsOf(one, ownKeyArn)) {
        asked.set(JSON.stringify([caller, request]), { role: roleOfStep(of, caller), request });
      }
    }
    const denied: string[] = [];
    for (const { role, request } of asked.values()) {
      if (!(await isAllowed(role, request))) {
        denied.push(`${role.description}: ${request.action} on ${request.resource} ${JSON.stringify(request.context)}`);
      }
    }
    return { asked: [...asked.values()], denied };
  }

  test('every call that a step makes is allowed by its role, with the rights that AWS asks for behind it', async () => {
    const { asked, denied } = await ask(roles);
    expect(denied).toEqual([]);
    expect(asked.length).toBeGreaterThan(100);
    expect(asked.map(({ request }) => request.action)).toContain('iam:CreateServiceLinkedRole');
  });

  test('so it is with the user’s own key', async () => {
    const { asked, denied } = await ask(rolesWithKey, OWN_KEY);
    expect(denied).toEqual([]);
    const granting = asked.filter(({ request }) => request.action === 'kms:CreateGrant');
    expect(granting.map(({ role }) => role.description)).toEqual(['Step start-pools']);
  });

  test('every granted action is used', () => {
    const unused = steps.flatMap(({ description, statements }) => {
      const step = description.replace('Step ', '');
      const own = recorded.filter(({ call }) => call.caller === step);
      const used = new Set(own.flatMap((one) => questionsOf(one)).map(({ action }) => action));
      return statements
        .flatMap(actionsOf)
        .filter((action) => !used.has(action) && !RUNTIME.includes(action))
        .map((action) => `${step}: ${action}`);
    });
    expect(unused).toEqual([]);
  });

  test('nobody but who starts instances may let others use the key, and only for AWS’s own resources', async () => {
    const granting = rolesWithKey.filter(({ statements }) => statements.flatMap(actionsOf).includes('kms:CreateGrant'));
    expect(granting.map(({ description }) => description)).toEqual([
      'Nodes of drowse: drowse:seat=0',
      'Step start-pools',
    ]);
    for (const role of granting) {
      const request = { action: 'kms:CreateGrant', resource: OWN_KEY };
      expect(await isAllowed(role, { ...request, context: { 'kms:GrantIsForAWSResource': 'true' } })).toBe(true);
      expect(await isAllowed(role, { ...request, context: { 'kms:GrantIsForAWSResource': 'false' } })).toBe(false);
    }
  });

  test('the load balancer’s step may make ELB’s service-linked role, and no other', async () => {
    const role = roleOfStep(roles, 'create-load-balancer');
    const [wanted] = dependentsOf({ action: 'elasticloadbalancing:CreateLoadBalancer' }).slice(-1);
    const other = { ...wanted!, context: { 'iam:AWSServiceName': 'spot.amazonaws.com' } };
    expect(await isAllowed(role, wanted!)).toBe(true);
    expect(await isAllowed(role, other)).toBe(false);
  });

  test('a grant taken away is noticed', async () => {
    const role = roleOfStep(roles, 'stop-pools');
    const without = {
      ...role,
      statements: role.statements.filter((statement) => !actionsOf(statement).includes('ec2:StopInstances')),
    };
    const stops = recorded.filter(({ call }) => call.action === 'StopInstances');
    expect(stops.length).toBeGreaterThan(0);
    for (const { call, model } of stops) {
      for (const request of requestsOf(call, model)) {
        expect(await isAllowed(role, request)).toBe(true);
        expect(await isAllowed(without, request)).toBe(false);
      }
    }
  });
});
