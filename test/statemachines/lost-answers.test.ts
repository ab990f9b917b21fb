import { serviceFault } from '../../sim/aws/errors';
import type { Twin } from '../../sim/run';
import { runSchedules } from '../../sim/schedules';
import { seconds } from '../../sim/virtual-time';
import { live, liveAwake } from '../lambdas/support';
import { expectAsleep, expectAwake } from './expectations';

/** A pool that launches and one whose nodes stop: every call that changes something is made. */
const CLUSTER = `
pools:
  - { name: web, instanceTypes: [t3.large], min: 1, desired: 1, max: 2, ingress: true }
  - { name: batch, instanceTypes: [m7i.large], min: 1, desired: 1, max: 2, sleep: stop }
`;

async function liveADay(twin: Twin): Promise<void> {
  for (const workflow of ['bootstrap', 'sleep', 'wake', 'sleep']) {
    const { status, cause } = await twin.run(workflow);
    expect([workflow, status, cause]).toEqual([workflow, 'SUCCEEDED', undefined]);
    if (workflow === 'sleep') expectAsleep(twin, 1);
    else expectAwake(twin);
  }
}

test('every call whose answer is lost, and that the SDK repeats, does the same as one', () =>
  live(CLUSTER, async (twin) => {
    twin.model.faults.add({ with: 'lost-answer' });
    await liveADay(twin);
    const kinds = new Set(twin.model.calls.all.map(({ caller, action }) => `${caller} ${action}`));
    expect(kinds.size).toBeGreaterThan(90);
  }));

test('so it is with nodes that are lost, pools that recover, and what look-after does', () =>
  liveAwake(CLUSTER, async (twin) => {
    const { model, workflows } = twin;
    const web = model.autoScaling.get('drowse-pool-web');
    model.faults.add({ with: 'lost-answer' });
    model.ec2.terminate(model.ec2.address!.instanceId!);
    await seconds(600);
    expectAwake(twin);
    await twin.run('sleep');
    model.autoScaling.get('drowse-pool-batch').noCapacity = 'InsufficientInstanceCapacity';
    for (const { id } of model.ec2.in('stopped')) model.ec2.terminate(id);
    await seconds(120);
    await twin.run('wake');
    expect(model.record).toMatchObject({ state: 'awake-degraded' });
    model.sns.messages.length = 0;
    await runSchedules(twin, 0.1);
    model.autoScaling.get('drowse-pool-batch').noCapacity = undefined;
    await seconds(3600);
    expectAwake(twin);
    expect(new Set(model.sns.messages.map(({ subject }) => subject))).toEqual(new Set(['drowse is awake, with batch']));
    // A stopped sleep, and an address that was taken away.
    workflows.beforeTask = (execution, state) => state === 'StopSeats' && execution.stop();
    model.ec2.address!.instanceId = undefined;
    await runSchedules(twin, 0.2);
    expect([...web.lifecycle.keys()]).toContain(model.ec2.address!.instanceId);
    await twin.run('sleep');
    workflows.beforeTask = () => undefined;
    await runSchedules(twin, 1);
    expectAsleep(twin, 1);
  }));

test.each(['AcquireLease', 'RecordSuccess', 'RecordFailure'])('%s outlasts ten minutes without the table', (state) =>
  liveAwake(CLUSTER, async (twin) => {
    const { model, workflows } = twin;
    model.sns.messages.length = 0;
    const denied = () => Object.assign(new Error('no'), { name: 'AccessDenied' });
    if (state === 'RecordFailure') model.faults.add({ action: 'StopInstances', with: denied });
    workflows.beforeTask = (_execution, name) => {
      if (name !== state) return;
      workflows.beforeTask = () => undefined;
      model.faults.add({ service: 'dynamodb', with: () => serviceFault('InternalServerError') });
      setTimeout(() => model.faults.clear(), 600_000);
    };
    const { status } = await twin.run('sleep');
    expect(status).toBe(state === 'RecordFailure' ? 'FAILED' : 'SUCCEEDED');
    expect(model.record).toMatchObject({ state: state === 'RecordFailure' ? 'sleep-failed' : 'asleep' });
    expect(model.record).not.toHaveProperty('lease');
    expect(model.sns.messages).toHaveLength(1);
  }),
);
