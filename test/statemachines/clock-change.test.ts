import { parseConfig } from '../../lib/config/load';
import { Twin } from '../../sim/run';
import { runSchedules } from '../../sim/schedules';
import { makeStep } from '../../sim/steps';
import { inVirtualTime, seconds } from '../../sim/virtual-time';
import { liveAwake } from '../lambdas/support';
import { expectAsleep } from './expectations';

const NIGHTS = `
schedules:
  - { name: nights, days: [mon, tue, wed, thu, fri, sat, sun], sleep: '02:30', timeZone: Europe/Berlin }
`;

/** The starts of sleep in a night, from a UTC time on: who asked, and when it began. */
function sleepsFrom(start: string, hours: number): Promise<[requestedBy: string, at: string][]> {
  return inVirtualTime(async () => {
    const twin = new Twin(parseConfig(NIGHTS));
    await twin.run('bootstrap');
    await runSchedules(twin, hours);
    expectAsleep(twin);
    return twin.workflows
      .of('sleep')
      .map(({ input, states }) => [
        (JSON.parse(input) as { requestedBy: string }).requestedBy,
        states[0]!.enteredAt.slice(0, 15),
      ]);
  }, start);
}

test('in the night in which 02:30 does not exist the cluster sleeps all the same, once', async () => {
  await expect(sleepsFrom('2027-03-27T20:00:00.000Z', 8)).resolves.toEqual([
    ['catch-up:nights', expect.stringMatching(/^2027-03-28T01:[34]/)],
  ]);
});

test('in the night in which 02:30 occurs twice it sleeps once, the first time', async () => {
  await expect(sleepsFrom('2026-10-24T20:00:00.000Z', 8)).resolves.toEqual([['schedule:nights', '2026-10-25T00:3']]);
});

test('two looks for one missed trigger start one workflow, and so does a look that is repeated after a fault', () =>
  liveAwake(`schedules: [{ name: nights, days: [fri], sleep: '09:00' }]`, async (twin) => {
    const look = makeStep(twin.model, 'look-after');
    await look({ execution: 'sim' });
    await seconds(3600 + 420);
    const answers = await Promise.all([look({ execution: 'one' }), look({ execution: 'two' })]);
    expect(twin.workflows.of('sleep')).toHaveLength(1);
    expect(answers.flatMap((answer) => (answer as { done: string[] }).done)).toHaveLength(1);
    await twin.workflows.of('sleep')[0]!.over;
    await expect(look({ execution: 'three' })).resolves.toEqual({ done: [] });
  }));
