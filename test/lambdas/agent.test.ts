import { TAG } from '../../core/config/names';
import { begin, live, liveAwake, makeStep, thrownBy } from './support';
import { expectAsleep, expectAwake } from '../statemachines/expectations';

describe('an agent of Systems Manager that registers late', () => {
  test('is waited for before the first command: a seat is not ready without', () =>
    live('', async (twin) => {
      twin.model.ssm.agentSeconds = 300;
      const bootstrap = await twin.run('bootstrap');
      expect([bootstrap.status, bootstrap.cause]).toEqual(['SUCCEEDED', undefined]);
      expectAwake(twin);
      expect(bootstrap.states.find(({ name }) => name === 'WaitForApi')!.seconds).toBeGreaterThan(300);
      const refused = twin.model.calls.of('SendCommand').filter(({ at }) => Date.parse(at) < 300_000);
      expect(refused).toEqual([]);
    }));

  test('that never does ends the wake at the bound of the API, which says so', () =>
    live('', async (twin) => {
      twin.model.ssm.agentSeconds = Number.POSITIVE_INFINITY;
      const began = Date.now();
      const bootstrap = await twin.run('bootstrap');
      expect(bootstrap).toMatchObject({ status: 'FAILED', error: 'ApiNotReady' });
      expect(bootstrap.cause).toContain('the agent of Systems Manager has not registered yet');
      expect(Date.now() - began).toBeLessThan(12 * 60_000);
    }));

  test('makes a command wait by a named error, not fail', () =>
    liveAwake('', async (twin) => {
      twin.model.ssm.agentSeconds = Number.POSITIVE_INFINITY;
      const leased = await begin(twin, 'sleep');
      const error = await thrownBy(makeStep(twin.model, 'drain-nodes')(leased));
      expect(error.name).toBe('ApiNotReady');
      expect(error.message).toMatch(/^The agent of Systems Manager has not registered yet on i-/);
    }));

  test('lets a sleep go on without, after a bounded time', () =>
    liveAwake('', async (twin) => {
      twin.model.ssm.agentSeconds = Number.POSITIVE_INFINITY;
      const began = Date.now();
      const sleep = await twin.run('sleep');
      expect([sleep.status, sleep.cause]).toEqual(['SUCCEEDED', undefined]);
      expectAsleep(twin);
      expect(Date.now() - began).toBeLessThan(15 * 60_000);
    }));

  test('of one seat leaves the command to another', () =>
    liveAwake('controlPlane: { seats: 3 }\nzones: [a, b, c]', async (twin) => {
      const seats = twin.model.ec2.in('running').filter(({ tags }) => tags[TAG.role] === 'seat');
      seats[0]!.runningAt = Date.now();
      twin.model.ssm.agentSeconds = 60;
      const leased = await begin(twin, 'sleep');
      expect((await thrownBy(makeStep(twin.model, 'drain-nodes')(leased))).name).toBe('CommandInProgress');
      const sent = twin.model.calls
        .of('SendCommand')
        .map(({ input }) => (input as { InstanceIds: string[] }).InstanceIds);
      expect(sent).toEqual([[seats[0]!.id], [seats[1]!.id]]);
    }));
});
