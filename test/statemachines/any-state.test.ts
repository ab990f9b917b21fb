import { allStates, readDefinition } from '../../sim/definitions';
import type { Twin } from '../../sim/run';
import { live } from '../lambdas/support';
import { expectAsleep, expectAwake } from './expectations';

/** A seat, a pool that launches, and one whose nodes stop: everything that a half-done workflow can leave half done. */
const CLUSTER = `
pools:
  - { name: web, instanceTypes: [t3.large], min: 1, desired: 1, max: 2, ingress: true }
  - { name: batch, instanceTypes: [m7i.large], min: 1, desired: 1, max: 2, sleep: stop }
`;
/** Well into a step that waits, and after any that does not (s). */
const INTO = 7;

const OPPOSITE: Readonly<Record<string, string>> = { sleep: 'wake', wake: 'sleep', bootstrap: 'sleep' };

/** Brings the cluster to where this workflow starts. */
async function prepare(twin: Twin, workflow: string): Promise<void> {
  if (workflow !== 'bootstrap') await twin.run('bootstrap');
  if (workflow === 'wake') await twin.run('sleep');
}

/** What makes a workflow come to a state, or stay in it, that it would pass by otherwise; and how that ends. */
const OCCASIONS: Readonly<Record<string, { begin: (twin: Twin) => void; end: (twin: Twin) => void }>> = {
  DeleteLoadBalancer: {
    begin: ({ model }) => (model.loadBalancing.times.delete = 20),
    end: ({ model }) => (model.loadBalancing.times.delete = 0),
  },
  ProbeApp: {
    begin: ({ model }) => (model.outside.reachable = false),
    end: ({ model }) => (model.outside.reachable = true),
  },
};

/** Runs a workflow and stops it some time after it enters a state, as somebody in the console would. */
async function runAndStop(twin: Twin, workflow: string, state: string, seconds: number): Promise<string> {
  twin.workflows.beforeTask = (execution, name) => {
    if (execution.workflow === workflow && name === state) setTimeout(() => execution.stop(), seconds * 1000);
  };
  OCCASIONS[state]?.begin(twin);
  const { status } = await twin.run(workflow);
  OCCASIONS[state]?.end(twin);
  twin.workflows.beforeTask = () => undefined;
  return status;
}

async function runToItsEnd(twin: Twin, workflow: string): Promise<void> {
  const { status, cause } = await twin.run(workflow);
  expect([workflow, status, cause]).toEqual([workflow, 'SUCCEEDED', undefined]);
  if (workflow === 'sleep') expectAsleep(twin, twin.model.ec2.in('stopped').length);
  else expectAwake(twin);
}

const cases = ['sleep', 'wake', 'bootstrap'].flatMap((workflow) =>
  allStates(readDefinition(workflow)).flatMap(([state, { Type, Retry = [] }]) => {
    if (Type !== 'Task' || state === 'RecordFailure') return [];
    const waits = Retry.some(({ BackoffRate }) => BackoffRate === 1);
    return (waits ? [0, INTO] : [0]).map((seconds) => ({ workflow, state, seconds }));
  }),
);

describe.each(cases)('$workflow stopped in $state after $seconds s', ({ workflow, state, seconds }) => {
  test.each([workflow, OPPOSITE[workflow]!])('%s brings the cluster where it says', (next) =>
    live(CLUSTER, async (twin) => {
      await prepare(twin, workflow);
      await expect(runAndStop(twin, workflow, state, seconds)).resolves.toBe('ABORTED');
      await runToItsEnd(twin, next);
    }),
  );
});

test('the cases are those of the definitions', () => {
  expect(cases.length).toBeGreaterThan(45);
});
