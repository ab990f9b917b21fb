import { TAG } from '../../core/config/names';
import { seconds } from '../../sim/virtual-time';
import { live, liveAwake, THREE_POOLS } from '../lambdas/support';
import { expectAsleep, expectAwake } from './expectations';

const SINGLE = '';
const HIGH_AVAILABILITY = `controlPlane: { seats: 3 }\n${THREE_POOLS}`;
const SEAT_INGRESS = `
controlPlane: { ingress: true }
pools: [{ name: gpu, instanceTypes: [g4dn.xlarge], gpu: true, min: 0, desired: 1 }]
`;

describe.each([
  ['the default cluster', SINGLE, 0],
  ['three seats and three pools', HIGH_AVAILABILITY, 2],
  ['a control plane that carries the Elastic IP', SEAT_INGRESS, 0],
])('%s', (_name, yaml, stopped) => {
  test('lives: bootstrap, sleep, wake, sleep', () =>
    live(yaml, async (twin) => {
      for (const [workflow, check] of [
        ['bootstrap', () => expectAwake(twin)],
        ['sleep', () => expectAsleep(twin, stopped)],
        ['wake', () => expectAwake(twin)],
        ['sleep', () => expectAsleep(twin, stopped)],
      ] as const) {
        const { status, cause } = await twin.run(workflow);
        expect([workflow, status, cause]).toEqual([workflow, 'SUCCEEDED', undefined]);
        check();
      }
      expect(twin.workflows.of('join-node').filter(({ status }) => status !== 'SUCCEEDED')).toEqual([]);
      expect(twin.model.inside.snapshots).toHaveLength(2);
    }));
});

test('the platform is installed after the nodes are ready', () =>
  live(SINGLE, async (twin) => {
    const bootstrap = await twin.run('bootstrap');
    const names = bootstrap.states.map(({ name }) => name);
    expect(names.indexOf('InstallPlatform')).toBeGreaterThan(names.indexOf('WaitForNodes'));
    const [child] = twin.workflows.of('install-platform');
    expect(child).toMatchObject({ status: 'SUCCEEDED', input: expect.stringContaining(bootstrap.arn) as string });
  }));

test.each(['{}', '{"requestedBy":"me"}', '{"detail":{}}'])(
  'join-node started by hand with %s says what it is for',
  (input) =>
    live(SINGLE, async (twin) => {
      const { status, error, cause } = await twin.run('join-node', JSON.parse(input) as object);
      expect([status, error]).toEqual(['FAILED', 'NotALaunch']);
      expect(cause).toMatch(
        /^The launch hook of a group starts this workflow.* raise the desired size of its group\.$/,
      );
    }),
);

test('a sleep and a wake together stay within 400 state transitions', () =>
  liveAwake(SINGLE, async (twin) => {
    const joinedBefore = twin.workflows.of('join-node').length;
    const platformsBefore = twin.workflows.of('install-platform').length;
    const pair = [
      await twin.run('sleep'),
      await twin.run('wake'),
      ...twin.workflows.of('join-node').slice(joinedBefore),
      ...twin.workflows.of('install-platform').slice(platformsBefore),
    ];
    const transitions = pair.reduce((sum, execution) => sum + execution.transitions, 0);
    expect(pair).toHaveLength(4);
    expect(transitions).toBeGreaterThan(60);
    expect(transitions).toBeLessThanOrEqual(400);
  }));

test('sizes grown by Cluster Autoscaler come back', () =>
  liveAwake(THREE_POOLS, async (twin) => {
    const web = twin.model.autoScaling.get('drowse-pool-web');
    twin.model.autoScaling.resize(web, 1, 4, 4);
    await seconds(300);
    await twin.run('sleep');
    expect(web).toMatchObject({ min: 0, desired: 0, max: 0 });
    await twin.run('wake');
    expect(web).toMatchObject({ min: 1, desired: 4, max: 4 });
    expectAwake(twin);
  }));

describe('one workflow at a time', () => {
  test('the loser ends as ClusterBusy, naming the holder; the winner is not disturbed', () =>
    live(SINGLE, async (twin) => {
      const bootstrap = twin.workflows.start('bootstrap', { requestedBy: 'ann' });
      await seconds(20);
      const sleep = await twin.run('sleep', { requestedBy: 'schedule:night' });
      expect(sleep).toMatchObject({ status: 'FAILED', error: 'ClusterBusy' });
      expect(sleep.cause).toMatch(/bootstrap \(started by ann 0 min ago, at [a-z-]+\) holds the cluster: arn:/);
      await bootstrap.over;
      expect(bootstrap.status).toBe('SUCCEEDED');
      expectAwake(twin);
    }));

  test("a person's sleep during a wake waits its turn", () =>
    live(SINGLE, async (twin) => {
      const bootstrap = twin.workflows.start('bootstrap');
      await seconds(20);
      const sleep = await twin.run('sleep', { requestedBy: 'ann' });
      expect([bootstrap.status, sleep.status]).toEqual(['SUCCEEDED', 'SUCCEEDED']);
      expectAsleep(twin);
    }));

  test('two starts in the same second: one wins', () =>
    liveAwake(SINGLE, async (twin) => {
      const both = [twin.workflows.start('sleep'), twin.workflows.start('sleep')];
      await Promise.all(both.map(({ over }) => over));
      expect(both.map(({ status }) => status).sort()).toEqual(['FAILED', 'SUCCEEDED']);
      expectAsleep(twin);
    }));

  test('the lease of a stopped execution is taken over, its child goes with it', () =>
    liveAwake(SINGLE, async (twin) => {
      await twin.run('sleep');
      const wake = twin.workflows.start('wake');
      const latest = () => twin.workflows.of('install-platform').at(-1)!;
      while (latest().status !== 'RUNNING') await seconds(1);
      const child = latest();
      wake.stop();
      await wake.over;
      await child.over;
      expect([wake.status, child.status]).toEqual(['ABORTED', 'ABORTED']);
      expect(twin.model.record).toMatchObject({ state: 'waking', lease: { owner: wake.arn } });
      await twin.run('sleep');
      expectAsleep(twin);
    }));
});

describe('a step that fails', () => {
  test('ends the workflow in RecordFailure: step, error and cause are known, the lease is free', () =>
    liveAwake(SINGLE, async (twin) => {
      const denied = Object.assign(new Error('not authorized to perform DeleteLoadBalancer'), { name: 'AccessDenied' });
      twin.model.faults.add({ action: 'DeleteLoadBalancer', with: () => denied });
      const sleep = await twin.run('sleep');
      expect(sleep).toMatchObject({
        status: 'FAILED',
        error: 'AccessDenied',
        cause: 'DeleteLoadBalancer: not authorized to perform DeleteLoadBalancer',
      });
      expect(twin.model.record).toMatchObject({
        state: 'sleep-failed',
        failure: { workflow: 'sleep', step: 'DeleteLoadBalancer', error: 'AccessDenied', execution: sleep.arn },
      });
      expect(twin.model.record).not.toHaveProperty('lease');
      twin.model.faults.clear();
      await twin.run('sleep');
      expectAsleep(twin);
      expect(twin.model.record).not.toHaveProperty('failure');
    }));

  test('in a branch of StartEverything is told by its own name', () =>
    live(SINGLE, async (twin) => {
      const denied = Object.assign(new Error('no'), { name: 'AccessDenied' });
      twin.model.faults.add({ caller: 'start-pools', with: () => denied });
      await twin.run('bootstrap');
      expect(twin.model.record).toMatchObject({ state: 'wake-failed', failure: { step: 'StartPools' } });
    }));

  test('in the platform is told by what the platform said', () =>
    live(SINGLE, async (twin) => {
      const told = { ok: false, error: 'PlatformNotReady', message: 'app: image not found' };
      twin.model.ssm.documents.set('drowse-reconcile-platform', () => ({ seconds: 5, result: told }));
      const bootstrap = await twin.run('bootstrap');
      expect(bootstrap).toMatchObject({ status: 'FAILED', error: 'PlatformNotReady' });
      expect(twin.model.record).toMatchObject({
        state: 'wake-failed',
        failure: { step: 'InstallPlatform', cause: expect.stringContaining('app: image not found') as string },
      });
    }));

  test('a wake after it succeeds, from whatever is there', () =>
    live(SINGLE, async (twin) => {
      const { plan } = twin.model.nodes;
      twin.model.nodes.plan = (instance) => ({ ...plan(instance), failsWith: 'volume-missing' });
      await twin.run('bootstrap');
      expect(twin.model.record).toMatchObject({
        state: 'wake-failed',
        failure: { step: 'WaitForApi', error: 'NodeFailed' },
      });
      twin.model.nodes.plan = plan;
      await twin.run('bootstrap');
      expectAwake(twin);
    }));
});

describe('sleep', () => {
  test('has nothing to wait for when nothing runs', () =>
    live(SINGLE, async (twin) => {
      const sleep = await twin.run('sleep');
      expect(sleep.status).toBe('SUCCEEDED');
      expectAsleep(twin);
      expect((Date.now() - Date.parse('2026-11-20T08:00:00Z')) / 1000).toBeLessThan(10);
    }));

  test('goes on without an API: what cannot be drained or saved goes all the same', () =>
    liveAwake(SINGLE, async (twin) => {
      twin.model.ec2.get('i-00000000000000001').tags[TAG.phase] = 'failed:etcd-unhealthy';
      const sleep = await twin.run('sleep');
      expect(sleep.status).toBe('SUCCEEDED');
      expectAsleep(twin);
      const drain = sleep.states.find(({ name }) => name === 'DrainNodes');
      expect(drain).toBeDefined();
      expect(sleep.output).toMatchObject({ drain: { Error: 'ApiNotReady' } });
    }));

  test('fails when etcd cannot be saved, before anything is gone', () =>
    liveAwake(SINGLE, async (twin) => {
      const told = { ok: false, error: 'SnapshotCorrupt', message: 'checksum' };
      twin.model.ssm.documents.set('drowse-snapshot-etcd', () => ({ seconds: 1, result: told }));
      await twin.run('sleep');
      expect(twin.model.record).toMatchObject({ state: 'sleep-failed', failure: { step: 'SnapshotEtcd' } });
      expect(twin.model.ec2.in('running')).toHaveLength(2);
      await twin.run('wake');
      expectAwake(twin);
    }));
});

test('a wake right after a sleep that was stopped while its load balancer went makes a new one', () =>
  liveAwake(SINGLE, async (twin) => {
    const { loadBalancing } = twin.model;
    loadBalancing.times.delete = 120;
    const [old] = loadBalancing.loadBalancers.keys();
    twin.workflows.beforeTask = (execution, state) => {
      if (state === 'DeleteLoadBalancer') setTimeout(() => execution.stop(), 7000);
    };
    await twin.run('sleep');
    twin.workflows.beforeTask = () => undefined;
    expect([...loadBalancing.loadBalancers.keys()]).toEqual([old]);
    const wake = await twin.run('wake');
    expect([wake.status, wake.cause]).toEqual(['SUCCEEDED', undefined]);
    expectAwake(twin);
    await seconds(300);
    expect([...loadBalancing.loadBalancers.keys()]).toHaveLength(1);
    expect([...loadBalancing.loadBalancers.keys()]).not.toEqual([old]);
  }));

describe('an app that nobody reaches', () => {
  const DOMAIN = 'app: { domain: app.example.org, email: ops@example.org }';
  const EXPIRED = '2026-11-01T00:00:00.000Z';

  test('degrades the wake, says why, and the next one sees that it is well', () =>
    liveAwake(DOMAIN, async (twin) => {
      await twin.run('sleep');
      twin.model.outside.answer.certificate.validTo = EXPIRED;
      const wake = await twin.run('wake');
      expect(wake.status).toBe('SUCCEEDED');
      const reason = `app not reachable: The certificate of app.example.org expired at ${EXPIRED}; cert-manager renews it`;
      expect(twin.model.record).toMatchObject({ state: 'awake-degraded', unreachable: reason });
      expect(wake.states.find(({ name }) => name === 'ProbeApp')!.enteredAt).toBeDefined();
      const news = JSON.stringify(twin.model.sns.messages.at(-1));
      expect(news).toContain('drowse is awake-degraded');
      expect(news).toContain('docs/runbook.md#certificateexpired');
      twin.model.outside.answer.certificate.validTo = '2027-01-01T00:00:00.000Z';
      await twin.run('wake');
      expectAwake(twin);
      expect(twin.model.record).not.toHaveProperty('unreachable');
    }));

  test('is waited for: cert-manager renews while the wake looks', () =>
    liveAwake(DOMAIN, async (twin) => {
      await twin.run('sleep');
      twin.model.outside.answer.certificate.validTo = EXPIRED;
      twin.workflows.beforeTask = (_execution, name) => {
        if (name !== 'ProbeApp') return;
        setTimeout(() => (twin.model.outside.answer.certificate.validTo = '2027-01-01T00:00:00.000Z'), 60_000);
      };
      await twin.run('wake');
      expectAwake(twin);
    }));

  test('does not keep the cluster from going to sleep', () =>
    live(DOMAIN, async (twin) => {
      twin.model.outside.answer.status = 502;
      await twin.run('bootstrap');
      expect(twin.model.record).toMatchObject({
        state: 'awake-degraded',
        unreachable: 'app not reachable: https://app.example.org/ at 203.0.113.7 answers 502',
      });
      await twin.run('sleep');
      expectAsleep(twin);
      expect(twin.model.record).not.toHaveProperty('unreachable');
    }));
});

describe('a pool without capacity', () => {
  const TWO_POOLS = `
pools:
  - { name: web, instanceTypes: [t3.large], min: 1, ingress: true }
  - { name: gpu, instanceTypes: [g4dn.xlarge], gpu: true, market: spot, min: 1 }
`;

  test('degrades the wake instead of failing it, and comes up as soon as there is some', () =>
    live(TWO_POOLS, async (twin) => {
      const gpu = twin.model.autoScaling.get('drowse-pool-gpu');
      gpu.noCapacity = 'Could not launch Spot Instances. InsufficientInstanceCapacity - no Spot capacity';
      const bootstrap = await twin.run('bootstrap');
      expect(bootstrap.status).toBe('SUCCEEDED');
      expect(twin.model.record).toMatchObject({
        state: 'awake-degraded',
        degraded: [{ pool: 'gpu', reason: expect.stringContaining('AWS has no capacity') as string }],
      });
      expect([...twin.model.autoScaling.get('drowse-pool-web').lifecycle.values()]).toEqual(['InService']);
      gpu.noCapacity = undefined;
      await seconds(300);
      expect([...gpu.lifecycle.values()]).toEqual(['InService']);
      const wake = await twin.run('wake');
      expect(wake.status).toBe('SUCCEEDED');
      expectAwake(twin);
      expect(twin.model.record).not.toHaveProperty('degraded');
    }));

  test('sleeps from there', () =>
    live(TWO_POOLS, async (twin) => {
      twin.model.autoScaling.get('drowse-pool-gpu').noCapacity = 'InsufficientInstanceCapacity';
      await twin.run('bootstrap');
      await twin.run('sleep');
      expectAsleep(twin);
    }));
});

describe('join-node', () => {
  test('gives the Elastic IP before anything else', () =>
    live(SINGLE, async (twin) => {
      await twin.run('bootstrap');
      const [join] = twin.workflows.of('join-node');
      expect(join!.states.map(({ name }) => name)).toEqual([
        'AssociateElasticIp',
        'WaitForApi',
        'MintJoinToken',
        'WaitForNode',
        'CompleteLaunch',
      ]);
    }));

  test.each([
    ['the API does not know its first two tokens', { unknownTokens: 2 }, 3],
    ['its token is gone before it is there to read it', { runtime: 400 }, 2],
    ['no token is of any use', { unknownTokens: 99 }, 5],
  ])('has another token minted where %s', (_why, change, tokens) =>
    live(SINGLE, async (twin) => {
      const { plan } = twin.model.nodes;
      await twin.run('bootstrap');
      twin.model.nodes.plan = (instance) => ({ ...plan(instance), ...change });
      twin.model.ec2.terminate(twin.model.ec2.in('running').find(({ tags }) => tags[TAG.pool] === 'gpu')!.id);
      await seconds(300);
      const { model } = twin;
      const joining = model.ec2.in('running').find(({ tags }) => tags[TAG.pool] === 'gpu')!;
      const token = model.names.joinParameter('gpu', joining.id);
      if ('runtime' in change) expect(model.ssm.parameters.delete(token)).toBe(true);
      await seconds(2 * 3600);
      const join = twin.workflows.of('join-node')[1]!;
      expect(join.states.filter(({ name }) => name === 'MintJoinToken')).toHaveLength(tokens);
      expect(join.status).toBe(tokens === 5 ? 'FAILED' : 'SUCCEEDED');
    }),
  );

  test('abandons a node that fails, says why, and the group tries another', () =>
    live(SINGLE, async (twin) => {
      const { plan } = twin.model.nodes;
      let first = true;
      twin.model.nodes.plan = (instance) => {
        const fails = first && instance.tags[TAG.role] === 'pool';
        if (fails) first = false;
        return { ...plan(instance), ...(fails && { failsWith: 'gpu-not-visible' }) };
      };
      const bootstrap = await twin.run('bootstrap');
      expect(bootstrap.status).toBe('SUCCEEDED');
      expectAwake(twin);
      const [failed, good] = twin.workflows.of('join-node');
      expect(failed).toMatchObject({
        status: 'FAILED',
        error: 'NodeFailed',
        cause: expect.stringContaining('gpu-not-visible') as string,
      });
      expect(good!.status).toBe('SUCCEEDED');
    }));

  test('duplicate events do no harm', () =>
    live(SINGLE, async (twin) => {
      const { onLaunch } = twin.model.autoScaling;
      twin.model.autoScaling.onLaunch = (detail) => {
        onLaunch(detail);
        onLaunch(detail);
      };
      await twin.run('bootstrap');
      await seconds(60);
      expect(twin.workflows.of('join-node').map(({ status }) => status)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
      expectAwake(twin);
    }));
});
