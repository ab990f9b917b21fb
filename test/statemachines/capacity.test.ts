import { TAG } from '../../core/config/names';
import { accessDenied, serviceFault } from '../../sim/aws/errors';
import { allStates, readDefinition, stepOf } from '../../sim/definitions';
import type { Twin } from '../../sim/run';
import { makeStep } from '../../sim/steps';
import { seconds } from '../../sim/virtual-time';
import { live } from '../lambdas/support';
import { expectAsleep, expectAwake } from './expectations';

// Half a day in virtual time takes seconds on a busy machine.

const NO_SPOT = 'Could not launch Spot Instances. InsufficientInstanceCapacity - There is no Spot capacity available';
const NO_CAPACITY = 'We currently do not have sufficient g4dn.xlarge capacity. Launching EC2 instance failed.';

const pools = (market: string, more = '') => `
pools:
  - { name: web, instanceTypes: [t3.large], min: 1, ingress: true }
  - { name: gpu, instanceTypes: [g4dn.xlarge], gpu: true, market: ${market}, min: 1 ${more} }
`;

const gpuOf = ({ model }: Twin) => model.autoScaling.get('drowse-pool-gpu');
const subjects = ({ model }: Twin) => model.sns.messages.map(({ subject }) => subject);
const updatesOf = ({ model }: Twin) =>
  model.calls.of('UpdateAutoScalingGroup').filter(({ input }) => 'MixedInstancesPolicy' in input);

describe('a pool that may fall back to on-demand', () => {
  test('does so as soon as spot has nothing, and the wake is whole', () =>
    live(pools('spot-with-fallback'), async (twin) => {
      gpuOf(twin).noSpotCapacity = NO_SPOT;
      const began = Date.now();
      const bootstrap = await twin.run('bootstrap');
      expect(bootstrap.status).toBe('SUCCEEDED');
      expectAwake(twin);
      expect(gpuOf(twin).onDemandPercent).toBe(100);
      const [raised, ...more] = updatesOf(twin);
      expect(more).toEqual([]);
      expect(raised).toMatchObject({
        caller: 'seek-capacity',
        input: {
          MixedInstancesPolicy: {
            InstancesDistribution: {
              OnDemandPercentageAboveBaseCapacity: 100,
              SpotAllocationStrategy: 'capacity-optimized-prioritized',
            },
          },
        },
      });
      expect((Date.parse(raised!.at) - began) / 1000).toBeLessThan(30);
    }));

  test('tries spot again at the next wake', () =>
    live(pools('spot-with-fallback'), async (twin) => {
      gpuOf(twin).noSpotCapacity = NO_SPOT;
      await twin.run('bootstrap');
      // Awake already: on-demand nodes that run are not exchanged.
      await twin.run('wake');
      expect(gpuOf(twin).onDemandPercent).toBe(100);
      await twin.run('sleep');
      gpuOf(twin).noSpotCapacity = undefined;
      const wake = await twin.run('wake');
      expect(wake.status).toBe('SUCCEEDED');
      expectAwake(twin);
      expect(gpuOf(twin).onDemandPercent).toBe(0);
    }));

  test('falls back also when spot runs dry while wait-for-nodes polls', () =>
    live(pools('spot-with-fallback', ', max: 3, desired: 2'), async (twin) => {
      const { plan } = twin.model.nodes;
      let failed = false;
      twin.model.nodes.plan = (instance) => {
        const fails = !failed && instance.tags[TAG.pool] === 'gpu';
        if (fails) {
          failed = true;
          gpuOf(twin).noSpotCapacity = NO_SPOT;
        }
        return { ...plan(instance), ...(fails && { failsWith: 'gpu-not-visible' }) };
      };
      const bootstrap = await twin.run('bootstrap');
      expect(bootstrap.status).toBe('SUCCEEDED');
      expectAwake(twin);
      expect(updatesOf(twin).map(({ caller }) => caller)).toEqual(['wait-for-nodes']);
    }));

  test('degrades the wake when on-demand has nothing either', () =>
    live(pools('spot-with-fallback'), async (twin) => {
      gpuOf(twin).noSpotCapacity = NO_SPOT;
      twin.workflows.beforeTask = (_execution, state) => {
        if (state === 'WaitForNodes') gpuOf(twin).noCapacity = NO_CAPACITY;
      };
      gpuOf(twin).noCapacity = NO_SPOT;
      const bootstrap = await twin.run('bootstrap');
      expect(bootstrap.status).toBe('SUCCEEDED');
      expect(twin.model.record).toMatchObject({
        state: 'awake-degraded',
        degraded: [{ pool: 'gpu', reason: expect.stringContaining('sufficient g4dn.xlarge') as string }],
      });
    }));

  test('stays with spot, and says why, where AWS refuses the change', () =>
    live(pools('spot-with-fallback'), async (twin) => {
      gpuOf(twin).noSpotCapacity = NO_SPOT;
      twin.model.faults.add({
        caller: 'seek-capacity',
        action: 'UpdateAutoScalingGroup',
        with: () => accessDenied('x'),
      });
      twin.model.faults.add({
        caller: 'wait-for-nodes',
        action: 'UpdateAutoScalingGroup',
        with: () => accessDenied('ec2:RunInstances'),
      });
      const bootstrap = await twin.run('bootstrap');
      expect(bootstrap.status).toBe('SUCCEEDED');
      expect(JSON.stringify(twin.model.record.degraded)).toMatch(/On-demand could not be tried: AccessDenied/);
    }));

  test.each(['spot', 'on-demand'])('a pool on %s does not', (market) =>
    live(pools(market), async (twin) => {
      gpuOf(twin).noCapacity = NO_SPOT;
      await twin.run('bootstrap');
      expect(twin.model.record.state).toBe('awake-degraded');
      expect(updatesOf(twin)).toEqual([]);
    }),
  );
});

describe('a lack of capacity', () => {
  test.each([
    [NO_SPOT, 'AWS has no capacity'],
    ['Max spot instance count exceeded. Launching EC2 instance failed.', 'the spot quota is used up'],
    ['You have requested more vCPU capacity than your current vCPU limit allows', 'the vCPU quota is used up'],
  ])('is on record within 30 s of the launch: %s', (message, words) =>
    live(pools('spot'), async (twin) => {
      gpuOf(twin).noCapacity = message;
      twin.workflows.start('bootstrap');
      while (gpuOf(twin).activities.length === 0) await seconds(1);
      await seconds(30);
      expect(twin.model.record).toMatchObject({
        state: 'waking',
        shortages: [{ pool: 'gpu', reason: expect.stringContaining(`${words}: ${message}`) as string }],
      });
    }),
  );

  test('of some nodes of a pool goes on with the others, and is not on record as under way any more', () =>
    live(pools('spot', ', max: 3, desired: 2'), async (twin) => {
      const one = twin.workflows.start('bootstrap');
      while (gpuOf(twin).lifecycle.size === 0) await seconds(1);
      twin.model.ec2.terminate([...gpuOf(twin).lifecycle.keys()][0]!);
      gpuOf(twin).noCapacity = NO_SPOT;
      await one.over;
      expect(one.status).toBe('SUCCEEDED');
      expect(twin.model.record).toMatchObject({
        state: 'awake-degraded',
        degraded: [{ pool: 'gpu', reason: expect.stringContaining('gpu has 1 of 2: AWS has no capacity') as string }],
      });
      expect(twin.model.record).not.toHaveProperty('shortages');
    }));
});

/** One look of look-after, as the schedule has it. */
const look = ({ model }: Twin) => makeStep(model, 'look-after')({ execution: 'test' });

/** A bootstrap that goes on without the GPU pool, and the recovery that look-after starts. */
async function degrade(twin: Twin) {
  gpuOf(twin).noCapacity = NO_SPOT;
  await twin.run('bootstrap');
  expect(twin.model.record.state).toBe('awake-degraded');
  expect(twin.workflows.of('recover-pools')).toEqual([]);
  await look(twin);
  return twin.workflows.of('recover-pools')[0]!;
}

describe('recover-pools', () => {
  test('finishes a degraded wake hours later, installs the platform, and tells', () =>
    live(pools('spot'), async (twin) => {
      const recovery = await degrade(twin);
      await seconds(3 * 3600);
      expect(recovery.status).toBe('RUNNING');
      expect(twin.model.record.state).toBe('awake-degraded');
      const before = twin.workflows.of('install-platform').length;
      gpuOf(twin).noCapacity = undefined;
      await seconds(30 * 60);
      expect(recovery.status).toBe('SUCCEEDED');
      expectAwake(twin);
      expect(twin.model.record).not.toHaveProperty('degraded');
      expect(twin.workflows.of('install-platform').slice(before)).toMatchObject([
        { status: 'SUCCEEDED', input: expect.stringContaining('capacity:recover-pools') as string },
      ]);
      expect(subjects(twin)).toEqual(['drowse is awake-degraded without gpu', 'drowse is awake, with gpu']);
      // Backing off, from a minute to a quarter of an hour.
      expect(recovery.transitions).toBeLessThan(80);
    }));

  test('is not started where nothing is missing', () =>
    live(pools('spot'), async (twin) => {
      await twin.run('bootstrap');
      await look(twin);
      expect(twin.workflows.of('recover-pools')).toEqual([]);
    }));

  test('ends quietly once the cluster sleeps', () =>
    live(pools('spot'), async (twin) => {
      const recovery = await degrade(twin);
      await twin.run('sleep');
      await seconds(20 * 60);
      expect(recovery.status).toBe('SUCCEEDED');
      expectAsleep(twin);
      expect(subjects(twin)).toEqual(['drowse is awake-degraded without gpu', 'drowse is asleep']);
    }));

  test('ends quietly when another wake has brought the pool up', () =>
    live(pools('spot'), async (twin) => {
      const recovery = await degrade(twin);
      await twin.run('sleep');
      gpuOf(twin).noCapacity = undefined;
      await twin.run('wake');
      expectAwake(twin);
      await seconds(3600);
      expect(recovery.status).toBe('SUCCEEDED');
      expectAwake(twin);
      expect(twin.workflows.of('install-platform')).toHaveLength(2);
    }));

  test('gives up after twelve hours, and tells', () =>
    live(pools('spot'), async (twin) => {
      const recovery = await degrade(twin);
      await seconds(13 * 3600);
      expect(recovery.status).toBe('SUCCEEDED');
      expect(twin.model.record.state).toBe('awake-degraded');
      expect(subjects(twin)).toEqual(['drowse is awake-degraded without gpu', 'drowse stays without gpu']);
    }));

  test('two at once do no harm', () =>
    live(pools('spot'), async (twin) => {
      await degrade(twin);
      twin.workflows.start('recover-pools');
      gpuOf(twin).noCapacity = undefined;
      await seconds(3600);
      expect(twin.workflows.of('recover-pools').map(({ status }) => status)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
      expectAwake(twin);
      expect(subjects(twin).filter((subject) => subject === 'drowse is awake, with gpu')).toHaveLength(1);
    }));

  test('turns nobody away: a scheduled sleep waits for what it installs', () =>
    live(pools('spot'), async (twin) => {
      await degrade(twin);
      const before = twin.workflows.of('install-platform').length;
      gpuOf(twin).noCapacity = undefined;
      while (twin.workflows.of('install-platform').length === before) await seconds(1);
      await seconds(5);
      const sleep = await twin.run('sleep', { requestedBy: 'schedule:night' });
      expect(sleep.status).toBe('SUCCEEDED');
      await seconds(600);
      expectAsleep(twin);
    }));

  test('stopped by somebody leaves a cluster that sleeps and wakes', () =>
    live(pools('spot'), async (twin) => {
      const recovery = await degrade(twin);
      gpuOf(twin).noCapacity = undefined;
      while (!recovery.states.some(({ name }) => name === 'InstallPlatform')) await seconds(1);
      recovery.stop();
      await seconds(10);
      await twin.run('wake');
      expectAwake(twin);
      await twin.run('sleep');
      expectAsleep(twin);
    }));

  const steps = allStates(readDefinition('recover-pools')).flatMap(([state, { Resource = '' }]) => {
    const step = stepOf(Resource);
    return step === undefined || state === 'RecordIncident' ? [] : [{ state, step }];
  });

  test.each(steps)('rides out a fault of $state', ({ step }) =>
    live(pools('spot'), async (twin) => {
      const recovery = await degrade(twin);
      gpuOf(twin).noCapacity = undefined;
      twin.model.faults.add({ caller: step, times: 1, with: () => serviceFault() });
      await seconds(1800);
      expect([recovery.status, recovery.cause]).toEqual(['SUCCEEDED', undefined]);
      expectAwake(twin);
    }),
  );

  test.each(steps)(
    'a $state that always fails is told, the cluster stays what it is, and a wake repairs it',
    ({ step }) =>
      live(pools('spot'), async (twin) => {
        const recovery = await degrade(twin);
        gpuOf(twin).noCapacity = undefined;
        twin.model.faults.add({ caller: step, service: 'lambda', with: () => new TypeError('broken') });
        await seconds(1800);
        expect(recovery.status).toBe('FAILED');
        expect(twin.model.record.state).toBe('awake-degraded');
        expect(subjects(twin)).toContain('drowse: recover-pools failed');
        twin.model.faults.clear();
        await twin.run('wake');
        expectAwake(twin);
      }),
  );
});

describe('launches that fail one after the other', () => {
  /** Every node of a pool fails at once. */
  const fail = (twin: Twin, pool: string) => {
    const { plan } = twin.model.nodes;
    twin.model.nodes.plan = (instance) => ({
      ...plan(instance),
      ...(instance.tags[TAG.pool] === pool && { failsWith: 'gpu-not-visible' }),
    });
    return () => (twin.model.nodes.plan = plan);
  };

  test('are held after five, and the wake goes on without the pool, named', () =>
    live(pools('spot'), async (twin) => {
      fail(twin, 'gpu');
      const bootstrap = await twin.run('bootstrap');
      expect(bootstrap.status).toBe('SUCCEEDED');
      expect([...gpuOf(twin).suspended]).toContain('Launch');
      expect(gpuOf(twin).activities).toHaveLength(5);
      expect(twin.model.record).toMatchObject({
        state: 'awake-degraded',
        degraded: [{ pool: 'gpu', reason: expect.stringMatching(/launches are held: .*gpu-not-visible/) as string }],
      });
      const [held] = twin.model.sns.messages;
      expect(held!.subject).toBe('drowse: pool gpu launches no more nodes');
      expect(held!.text).toContain('docs/runbook.md#launchesheld');
      const events = [...twin.model.dynamo.items.values()].filter(({ what }) => what === 'launches-held');
      expect(events).toMatchObject([{ pool: 'gpu', error: 'NodeFailed' }]);
      await seconds(6 * 3600);
      expect(gpuOf(twin).activities).toHaveLength(5);
    }));

  test('of the ingress fail the wake by a name of their own; the next wake tries again', () =>
    live(pools('spot'), async (twin) => {
      const repair = fail(twin, 'web');
      const bootstrap = await twin.run('bootstrap');
      expect(bootstrap).toMatchObject({ status: 'FAILED', error: 'LaunchesHeld' });
      expect(twin.model.record).toMatchObject({
        state: 'wake-failed',
        failure: { step: 'WaitForNodes', error: 'LaunchesHeld', class: 'needs-a-person' },
      });
      await twin.run('sleep');
      expectAsleep(twin);
      repair();
      await twin.run('wake');
      expectAwake(twin);
      expect(twin.model.autoScaling.get('drowse-pool-web').suspended).not.toContain('Launch');
      expect([...twin.model.dynamo.items.keys()].filter((key) => key.startsWith('breaker#'))).toEqual([]);
    }));

  test('are held and told once, even if the call that holds them dies first', () =>
    live(pools('spot'), async (twin) => {
      fail(twin, 'gpu');
      const fault = { caller: 'abandon-launch', action: 'SuspendProcesses', times: 1, with: () => serviceFault() };
      twin.model.faults.add(fault);
      await twin.run('bootstrap');
      expect([...gpuOf(twin).suspended]).toContain('Launch');
      expect(subjects(twin).filter((subject) => subject.includes('launches no more'))).toHaveLength(1);
    }));

  test('of a seat are held too, until the next wake', () =>
    live('controlPlane: { ingress: true }\npools: [{ name: web, instanceTypes: [t3.large] }]', async (twin) => {
      const denied = { caller: 'associate-elastic-ip', action: 'AssociateAddress', with: () => accessDenied('x') };
      twin.model.faults.add(denied);
      const bootstrap = await twin.run('bootstrap');
      expect(bootstrap).toMatchObject({ status: 'FAILED', error: 'ApiNotReady' });
      expect([...twin.model.autoScaling.get('drowse-seat-0').suspended]).toEqual(['Launch']);
      expect(twin.model.autoScaling.get('drowse-seat-0').activities).toHaveLength(5);
      twin.model.faults.clear();
      await twin.run('wake');
      expectAwake(twin);
    }));

  test('of nodes that hang are held too, long after the wake has ended', () =>
    live(pools('spot'), async (twin) => {
      const { plan } = twin.model.nodes;
      twin.model.nodes.plan = (instance) => ({
        ...plan(instance),
        ...(instance.tags[TAG.pool] === 'gpu' && { hangsIn: 'joining' as const }),
      });
      await twin.run('bootstrap');
      await seconds(4 * 3600);
      expect(gpuOf(twin).activities).toHaveLength(5);
      expect(subjects(twin)).toContain('drowse: pool gpu launches no more nodes');
    }));

  test('do not count once a node has joined', () =>
    live(pools('spot', ', max: 9'), async (twin) => {
      const { plan } = twin.model.nodes;
      let launched = 0;
      twin.model.nodes.plan = (instance) => {
        const gpu = instance.tags[TAG.pool] === 'gpu' && instance.state === 'running';
        if (gpu) launched += 1;
        return { ...plan(instance), ...(gpu && launched % 5 !== 0 && { failsWith: 'start-failed' }) };
      };
      await twin.run('bootstrap');
      expectAwake(twin);
      twin.model.autoScaling.resize(gpuOf(twin), 1, 2, 9);
      await seconds(3600);
      expect(gpuOf(twin).activities).toHaveLength(10);
      expect(gpuOf(twin).suspended).not.toContain('Launch');
      expectAwake(twin);
    }));

  test('are counted once an instance, however often their end is told', () =>
    live(pools('spot'), async (twin) => {
      const { onLaunch } = twin.model.autoScaling;
      twin.model.autoScaling.onLaunch = (detail) => {
        for (let time = 0; time < 3; time += 1) onLaunch(detail);
      };
      fail(twin, 'gpu');
      await twin.run('bootstrap');
      expect(gpuOf(twin).activities).toHaveLength(5);
    }));
});
