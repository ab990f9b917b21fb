import { TAG } from '../../core/config/names';
import type { Twin } from '../../sim/run';
import { runSchedules } from '../../sim/schedules';
import { seconds } from '../../sim/virtual-time';
import { live, liveAwake } from '../lambdas/support';
import { expectAsleep, expectAwake } from './expectations';

const CLUSTER = `
pools:
  - { name: web, instanceTypes: [t3.large], min: 1, desired: 1, max: 2, ingress: true }
  - { name: batch, instanceTypes: [m7i.large], min: 1, desired: 1, max: 2, sleep: stop }
`;
const THREE = `controlPlane: { seats: 3 }\n${CLUSTER}`;

const subjects = ({ model }: Twin) => model.sns.messages.map(({ subject }) => subject);
const instancesOf = ({ model }: Twin, role: string, of: string) =>
  model.ec2.in('running').filter(({ tags }) => tags[TAG.role] === role && (tags[TAG.pool] ?? tags[TAG.seat]) === of);

/** Fifteen minutes of care, without the events that would make it faster. */
const care = (twin: Twin, minutes = 15) => runSchedules(twin, minutes / 60, undefined, false);

/** Stops a workflow in a state, as somebody in the console would, or as a dead function does. */
async function stopIn(twin: Twin, workflow: string, state: string): Promise<void> {
  twin.workflows.beforeTask = (execution, name) => {
    if (execution.workflow === workflow && name === state) execution.stop();
  };
  await twin.run(workflow);
  twin.workflows.beforeTask = () => undefined;
}

describe.each([
  ['sleep', 'DrainNodes', expectAsleep],
  ['sleep', 'StopSeats', expectAsleep],
  ['wake', 'StartEverything', expectAwake],
  ['wake', 'WaitForNodes', expectAwake],
  ['bootstrap', 'InstallNetwork', expectAwake],
] as const)('%s, stopped in %s', (workflow, state, check) => {
  test('stays where it was without care; with it, comes to what was asked for, and is told of once', () =>
    live(CLUSTER, async (twin) => {
      if (workflow !== 'bootstrap') await twin.run('bootstrap');
      if (workflow === 'wake') await twin.run('sleep');
      twin.model.sns.messages.length = 0;
      await stopIn(twin, workflow, state === 'StartEverything' ? 'WaitForApi' : state);
      await seconds(3600);
      expect(twin.model.record).toMatchObject({ state: workflow === 'sleep' ? 'sleeping' : 'waking', lease: {} });
      await care(twin, 25);
      if (workflow === 'sleep') expectAsleep(twin, twin.model.ec2.in('stopped').length);
      else check(twin);
      expect(subjects(twin)).toEqual([
        expect.stringMatching(new RegExp(`^drowse: ${workflow} failed at \\w+ \\(ExecutionAborted\\)$`)) as string,
        `drowse is ${workflow === 'sleep' ? 'asleep' : 'awake'}`,
      ]);
    }));
});

describe('seats', () => {
  test.each([
    ['one that hangs', CLUSTER, '0', { hangsIn: 'control-plane' as const }],
    ['one that failed', CLUSTER, '0', { failsWith: 'api-not-ready' }],
    ['one of three that hangs', THREE, '1', { hangsIn: 'control-plane' as const }],
    ['one of three that failed', THREE, '2', { failsWith: 'api-not-ready' }],
  ])('%s is replaced', (_what, config, seat, how) =>
    liveAwake(config, async (twin) => {
      const { model } = twin;
      const { plan } = model.nodes;
      let ill = 1;
      model.nodes.plan = (instance) => {
        const is = instance.tags[TAG.seat] === seat && ill > 0;
        if (is) ill -= 1;
        return { ...plan(instance), ...(is && how) };
      };
      const [first] = instancesOf(twin, 'seat', seat);
      model.ec2.terminate(first!.id);
      await seconds(300);
      const [second] = instancesOf(twin, 'seat', seat);
      expect(second?.tags[TAG.phase]).not.toBe('ready');
      await care(twin);
      expectAwake(twin);
      expect(instancesOf(twin, 'seat', seat).map(({ id }) => id)).not.toContain(second!.id);
    }),
  );

  test('that never get ready are tried five times; then a person is told, once', () =>
    liveAwake(CLUSTER, async (twin) => {
      const { model } = twin;
      const { plan } = model.nodes;
      model.nodes.plan = (instance) => ({
        ...plan(instance),
        ...(instance.tags[TAG.seat] && { failsWith: 'start-failed' }),
      });
      const [seat] = instancesOf(twin, 'seat', '0');
      model.ec2.terminate(seat!.id);
      await seconds(300);
      const before = model.ec2.instances.size;
      model.sns.messages.length = 0;
      await care(twin, 300);
      expect(model.ec2.instances.size - before).toBe(5);
      expect(subjects(twin).filter((subject) => subject.includes('needs you'))).toHaveLength(1);
      expect(model.sns.messages.at(-1)?.text).toContain('5 tries did not help');
    }));

  test('a seat that AWS has no instance for is waited for, and the wake goes on when it comes', () =>
    liveAwake(CLUSTER, async (twin) => {
      const { model } = twin;
      await twin.run('sleep');
      const seat = model.autoScaling.get('drowse-seat-0');
      seat.noCapacity = 'InsufficientInstanceCapacity';
      await twin.run('wake');
      expect(model.record).toMatchObject({ state: 'wake-failed' });
      await care(twin, 120);
      expect(twin.workflows.of('wake')).toHaveLength(1);
      seat.noCapacity = undefined;
      await care(twin);
      expectAwake(twin);
    }));
});

describe('pools', () => {
  test.each([
    ['fails', { failsWith: 'join-failed' }, 15],
    ['hangs', { hangsIn: 'joining' as const }, 20],
  ])('a restarted node that %s is ended, and the wake succeeds', (_how, how, minutes) =>
    liveAwake(CLUSTER, async (twin) => {
      const { model } = twin;
      await twin.run('sleep');
      const { plan } = model.nodes;
      const [stopped] = model.ec2.in('stopped');
      model.nodes.plan = (instance) => ({ ...plan(instance), ...(instance.id === stopped!.id && how) });
      const time = care(twin, minutes);
      await twin.run('wake');
      await time;
      expectAwake(twin);
    }),
  );

  test.each([
    ['ready', 'WaitForNode', 0],
    ['not ready', 'WaitForApi', 1],
  ])('a launch whose join-node was stopped is answered: of a node that is %s', (_what, state, more) =>
    liveAwake(CLUSTER, async (twin) => {
      const { model, workflows } = twin;
      const [node] = instancesOf(twin, 'pool', 'web');
      let stops = 1;
      workflows.beforeTask = (execution, name) => {
        if (execution.workflow !== 'join-node' || name !== state || stops === 0) return;
        stops -= 1;
        execution.stop();
      };
      const { plan } = model.nodes;
      let hangs = more;
      model.nodes.plan = (instance) => ({
        ...plan(instance),
        ...(instance.tags[TAG.pool] === 'web' && hangs-- > 0 && { hangsIn: 'waiting-for-token' }),
      });
      model.ec2.terminate(node!.id);
      const before = model.ec2.instances.size;
      await care(twin, 20);
      expectAwake(twin);
      expect(model.ec2.instances.size - before).toBe(1 + more);
    }),
  );

  test('a new node that hangs is replaced within a quarter of an hour', () =>
    liveAwake(CLUSTER, async (twin) => {
      const { model } = twin;
      const { plan } = model.nodes;
      const [node] = instancesOf(twin, 'pool', 'web');
      let hangs = 1;
      model.nodes.plan = (instance) => ({
        ...plan(instance),
        ...(instance.tags[TAG.pool] === 'web' && hangs-- > 0 && { hangsIn: 'runtime' }),
      });
      model.ec2.terminate(node!.id);
      await care(twin);
      expectAwake(twin);
    }));

  test('a load balancer that the wake could not make is made as soon as AWS lets it, and no longer warned of', () =>
    liveAwake(CLUSTER, async (twin) => {
      const { model } = twin;
      await twin.run('sleep');
      const refused = () => Object.assign(new Error('too many'), { name: 'TooManyLoadBalancers' });
      model.faults.add({ action: 'CreateLoadBalancer', with: refused });
      await twin.run('wake');
      expect(model.record).toMatchObject({
        state: 'awake',
        warnings: [expect.stringContaining('no API load balancer')],
      });
      await care(twin);
      model.faults.clear();
      await care(twin);
      expectAwake(twin);
      expect(model.record).toMatchObject({ warnings: [] });
    }));

  test('a seat that AWS has no instance for is told of, once, and comes back by itself', () =>
    liveAwake(THREE, async (twin) => {
      const { model } = twin;
      const seat = model.autoScaling.get('drowse-seat-1');
      seat.noCapacity = 'InsufficientInstanceCapacity';
      model.ec2.terminate(instancesOf(twin, 'seat', '1')[0]!.id);
      await care(twin, 60);
      const told = () => subjects(twin).filter((subject) => subject.includes('needs you'));
      expect(told()).toEqual([expect.stringContaining('drowse-seat-1 has had no instance') as string]);
      seat.noCapacity = undefined;
      await care(twin);
      expectAwake(twin);
      expect(told()).toHaveLength(1);
    }));

  test('an address that was taken away comes back', () =>
    liveAwake(CLUSTER, async (twin) => {
      twin.model.ec2.address!.instanceId = undefined;
      await care(twin, 6);
      expectAwake(twin);
    }));

  test('a degraded cluster whose recover-pools was stopped recovers', () =>
    liveAwake(CLUSTER, async (twin) => {
      await twin.run('sleep');
      const web = twin.model.autoScaling.get('drowse-pool-batch');
      for (const { id } of twin.model.ec2.in('stopped')) twin.model.ec2.terminate(id);
      await seconds(120);
      web.noCapacity = 'InsufficientInstanceCapacity';
      await twin.run('wake');
      expect(twin.model.record).toMatchObject({ state: 'awake-degraded' });
      await care(twin, 6);
      twin.workflows.of('recover-pools').at(-1)!.stop();
      web.noCapacity = undefined;
      await seconds(3600);
      expect(twin.model.record).toMatchObject({ state: 'awake-degraded' });
      await care(twin);
      expectAwake(twin);
    }));
});

describe('a sleep', () => {
  const breakSnapshots = ({ model }: Twin) => {
    const works = model.ssm.documents.get('drowse-snapshot-etcd')!;
    const result = { ok: false, error: 'SnapshotNotStored', message: 'cut' };
    model.ssm.documents.set('drowse-snapshot-etcd', () => ({ seconds: 1, result }));
    return () => model.ssm.documents.set('drowse-snapshot-etcd', works);
  };

  test('that fails is tried again in the same night', () =>
    liveAwake(CLUSTER, async (twin) => {
      const mend = breakSnapshots(twin);
      await twin.run('sleep');
      expect(twin.model.record).toMatchObject({ state: 'sleep-failed' });
      await care(twin, 30);
      mend();
      await care(twin, 40);
      expectAsleep(twin, 1);
    }));

  test('that cannot save etcd gives its nodes back, is tried on, and somebody hears of it twice: that, and that it lasts', () =>
    liveAwake(CLUSTER, async (twin) => {
      breakSnapshots(twin);
      twin.model.sns.messages.length = 0;
      await twin.run('sleep');
      expect(twin.model.inside.cordoned.size).toBeGreaterThan(0);
      await care(twin, 16);
      expect(twin.model.inside.cordoned.size).toBe(0);
      await care(twin, 400);
      expect(subjects(twin)).toEqual([
        'drowse: sleep failed at SnapshotEtcd (CommandFailed)',
        expect.stringContaining('drowse needs you') as string,
      ]);
      expect(twin.workflows.of('sleep').length).toBeGreaterThan(10);
    }));
});

describe('asleep', () => {
  test.each([
    [
      'a group that a late step made larger',
      ({ model }: Twin) => model.autoScaling.resize(model.autoScaling.get('drowse-seat-0'), 1, 1, 1),
    ],
    [
      'a pool that somebody raised',
      ({ model }: Twin) => model.autoScaling.resize(model.autoScaling.get('drowse-pool-web'), 0, 1, 1),
    ],
    [
      'an instance that somebody started',
      ({ model }: Twin) => {
        const stopped = model.ec2.in('stopped')[0]!;
        Object.assign(stopped, { state: 'running' });
      },
    ],
  ])('%s sleeps again, and since when it is asleep stays', (_what, start) =>
    liveAwake(CLUSTER, async (twin) => {
      await twin.run('sleep');
      const { since } = twin.model.record;
      await seconds(120);
      start(twin);
      await care(twin);
      expectAsleep(twin, 1);
      expect(twin.model.record).toMatchObject({ since });
    }),
  );

  test('AWS is asked whether anything runs at each look, and the rest only now and then', () =>
    liveAwake(CLUSTER, async (twin) => {
      await twin.run('sleep');
      await care(twin, 60);
      twin.model.calls.all.length = 0;
      await care(twin, 600);
      const asked = twin.model.calls.all.filter(({ service }) => service !== 'dynamodb').map(({ action }) => action);
      const looks = asked.filter((action) => action === 'DescribeInstances').length;
      expect(looks).toBe(119);
      expect(asked.length - looks).toBeGreaterThan(10);
      expect(asked.length - looks).toBeLessThanOrEqual(6 * 4);
    }));

  test('an instance that somebody started in the middle of the night, of which no event tells, sleeps within a quarter of an hour', () =>
    liveAwake(CLUSTER, async (twin) => {
      await twin.run('sleep');
      await care(twin, 61);
      Object.assign(twin.model.ec2.in('stopped')[0]!, { state: 'running' });
      await care(twin);
      expectAsleep(twin, 1);
    }));
});

test('a step that was held up does nothing once another workflow has the cluster', () =>
  liveAwake(CLUSTER, async (twin) => {
    await twin.run('sleep');
    twin.model.faults.add({
      caller: 'start-seats',
      action: 'DescribeAutoScalingGroups',
      times: 1,
      with: { seconds: 50 },
    });
    twin.model.faults.add({
      caller: 'start-pools',
      action: 'DescribeAutoScalingGroups',
      times: 1,
      with: { seconds: 50 },
    });
    const wake = twin.workflows.start('wake');
    await seconds(5);
    wake.stop();
    await twin.run('sleep');
    await seconds(120);
    expectAsleep(twin, 1);
    expect([...twin.model.autoScaling.groups.values()].map(({ desired }) => desired)).toEqual([0, 0, 0]);
  }));

test('news that could not be sent is sent later, once', () =>
  liveAwake(CLUSTER, async (twin) => {
    twin.model.sns.messages.length = 0;
    twin.model.faults.add({ service: 'sns', with: () => new Error('ECONNREFUSED') });
    await twin.run('sleep');
    twin.model.faults.clear();
    expect(subjects(twin)).toEqual([]);
    await care(twin, 30);
    expect(subjects(twin)).toEqual(['drowse is asleep']);
  }));
