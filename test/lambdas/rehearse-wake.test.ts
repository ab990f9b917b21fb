import { rehearsalOf } from '../../core/schedule/rehearsal';
import { makeStep } from '../../sim/steps';
import { live, liveAwake, THREE_POOLS } from './support';

describe('rehearse-wake', () => {
  test('finds nothing in the way of a wake that succeeds, and tells nobody', () =>
    liveAwake(THREE_POOLS, async (twin) => {
      await twin.run('sleep');
      const before = twin.model.sns.messages.length;
      const { findings } = (await makeStep(twin.model, 'rehearse-wake')({ execution: 'e-1' })) as {
        findings: { name: string; state: string }[];
      };
      expect(findings.filter(({ state }) => state !== 'ok')).toEqual([]);
      expect(findings.length).toBeGreaterThan(6);
      expect(twin.model.sns.messages).toHaveLength(before);
    }));

  test('tells once what would make the wake fail, and what it lacks', () =>
    liveAwake(THREE_POOLS, async (twin) => {
      await twin.run('sleep');
      const before = twin.model.sns.messages.length;
      twin.model.ec2.address = undefined;
      const step = makeStep(twin.model, 'rehearse-wake');
      await step({ execution: 'e-1' });
      await step({ execution: 'e-1' });
      const told = twin.model.sns.messages.slice(before);
      expect(told).toHaveLength(1);
      expect(told[0]).toMatchObject({
        subject: 'drowse: the next wake would fail',
        text: expect.stringMatching(/PROBLEM: Elastic IP: missing: .*released\n[^]*#rehearsal/) as string,
      });
    }));

  test('of a cluster that was never made says nothing', () =>
    live('', async (twin) => {
      twin.model.ec2.address = undefined;
      expect(await makeStep(twin.model, 'rehearse-wake')({ execution: 'e-1' })).toEqual({ findings: [] });
      expect(twin.model.sns.messages).toEqual([]);
    }));
});

test.each([
  ['07:30', ['mon', 'sat'], '19:30', ['sun', 'fri']],
  ['12:00', ['mon'], '00:00', ['mon']],
  ['22:15', ['fri'], '10:15', ['fri']],
] as const)('a wake at %s on %j is rehearsed at %s on %j', (wake, days, time, before) => {
  expect(rehearsalOf({ wake, days: [...days] })).toEqual({ time, days: before });
});

test('what wakes nothing has no rehearsal', () => {
  expect(rehearsalOf({ days: ['mon'] })).toBeUndefined();
});
