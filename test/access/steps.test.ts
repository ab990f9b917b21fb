import { synthesize } from '../support/stacks';
import { isAllowed } from './support/evaluate';
import { LIVED_CONFIG, recordLife, type Recorded } from './support/life';
import { requestsOf } from './support/requests';
import { actionsOf, roleOfStep, rolesOf, type SynthesizedRole } from './support/roles';

/** Granted to every function for its own log group; the runtime writes there, not the handler. */
const RUNTIME = ['logs:CreateLogStream', 'logs:PutLogEvents'];

describe('steps', () => {
  const roles = rolesOf(synthesize(LIVED_CONFIG));
  const steps = roles.filter(({ description }) => description.startsWith('Step '));
  let recorded: Recorded[];
  beforeAll(async () => {
    recorded = await recordLife();
  }, 60_000);

  test('every call that a step makes is allowed by its role', async () => {
    const asked = new Map<string, { role: SynthesizedRole; request: ReturnType<typeof requestsOf>[number] }>();
    for (const { call, model } of recorded) {
      for (const request of requestsOf(call, model)) {
        // Thousands of calls ask a few hundred different questions.
        asked.set(JSON.stringify([call.caller, request]), { role: roleOfStep(roles, call.caller), request });
      }
    }
    const denied: string[] = [];
    for (const { role, request } of asked.values()) {
      if (!(await isAllowed(role, request))) {
        denied.push(`${role.description}: ${request.action} on ${request.resource} ${JSON.stringify(request.context)}`);
      }
    }
    expect(denied).toEqual([]);
    expect(asked.size).toBeGreaterThan(100);
  }, 60_000);

  test('every granted action is used', () => {
    const unused = steps.flatMap(({ description, statements }) => {
      const step = description.replace('Step ', '');
      const used = new Set(
        recorded
          .filter(({ call }) => call.caller === step)
          .flatMap(({ call, model }) => requestsOf(call, model))
          .map(({ action }) => action),
      );
      return statements
        .flatMap(actionsOf)
        .filter((action) => !used.has(action) && !RUNTIME.includes(action))
        .map((action) => `${step}: ${action}`);
    });
    expect(unused).toEqual([]);
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
