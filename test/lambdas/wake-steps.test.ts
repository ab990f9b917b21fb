import { DuplicateListenerException, LoadBalancerNotFoundException } from '@aws-sdk/client-elastic-load-balancing-v2';
import { TAG } from '../../core/config/names';
import { seconds } from '../../sim/virtual-time';
import { begin, kinds, live, liveAwake, makeStep, stop, THREE_POOLS, thrownBy, until } from './support';

describe('check-prerequisites', () => {
  test('passes when everything is there', () =>
    live('controlPlane: { seats: 3 }', async (twin) => {
      const step = makeStep(twin.model, 'check-prerequisites');
      await expect(step(await begin(twin, 'wake'))).resolves.toEqual({ warnings: [] });
    }));

  test('warns of a cluster that has no snapshot, or an old one', () =>
    live('', async (twin) => {
      const leased = await begin(twin, 'wake');
      const step = makeStep(twin.model, 'check-prerequisites');
      twin.model.record.platformAt = '2026-11-01T00:00:00Z';
      await expect(step(leased)).resolves.toEqual({ warnings: ['there is no snapshot of etcd'] });
      const snapshot = { key: 'snapshots/a/etcd.db', bytes: 1, sha256: 'a', at: '2026-11-19T06:00:00Z' };
      twin.model.record.snapshot = snapshot;
      const warnings = ['the newest snapshot of etcd is 26 hours old (snapshots/a/etcd.db)'];
      await expect(step(leased)).resolves.toEqual({ warnings });
      expect(twin.model.record.warnings).toEqual(warnings);
      twin.model.record.snapshot = { ...snapshot, at: '2026-11-19T09:00:00Z' };
      await expect(step(leased)).resolves.toEqual({ warnings: [] });
      expect(twin.model.record.warnings).toEqual([]);
    }));

  describe('asks the account for its vCPU quotas', () => {
    const [STANDARD, G, SPOT_G] = ['L-1216C47A', 'L-DB2E81BA', 'L-3819A6DF'];
    const POOLS = `
pools:
  - { name: web, instanceTypes: [m6i.2xlarge, t3.large], desired: 2, max: 4, ingress: true }
  - { name: train, instanceTypes: [g5.2xlarge], gpu: true, market: spot-with-fallback, desired: 1 }
  - { name: paint, instanceTypes: [g4dn.xlarge], gpu: true, market: spot, desired: 2, max: 2 }
`;
    const check = async (yaml: string, quotas: Record<string, number>, workflow: 'wake' | 'bootstrap' = 'wake') =>
      live(yaml, async (twin) => {
        for (const [code, value] of Object.entries(quotas)) twin.model.serviceQuotas.values.set(code, value);
        const leased = await begin(twin, workflow);
        twin.model.record.sizes = { paint: { min: 0, desired: 1, max: 2 } };
        return makeStep(twin.model, 'check-prerequisites')(leased);
      });

    test('what fits is nothing to tell, and what cannot be asked stops nothing', async () => {
      await expect(check(POOLS, { [STANDARD]: 6, [G]: 4, [SPOT_G]: 4 })).resolves.toEqual({ warnings: [] });
      await expect(check(POOLS, {})).resolves.toEqual({ warnings: [] });
      await expect(check(POOLS, { [SPOT_G]: 4 })).resolves.toEqual({ warnings: [] });
    });

    test('a pool that cannot fit is a warning: by the sizes of the last sleep, and at bootstrap by the configured', async () => {
      const paint = (vcpus: number, allowed: number) =>
        `paint wants ${String(vcpus)} vCPUs of spot G and VT instances, the account's quota (L-3819A6DF) is ${String(allowed)}`;
      await expect(check(POOLS, { [SPOT_G]: 0 })).resolves.toEqual({ warnings: [paint(4, 0)] });
      await expect(check(POOLS, { [SPOT_G]: 4 }, 'bootstrap')).resolves.toEqual({ warnings: [paint(8, 4)] });
      await expect(check(POOLS, { [SPOT_G]: 4, [G]: 0 })).resolves.toEqual({
        warnings: [
          "train wants 8 vCPUs of spot or on-demand G and VT instances, the account's quota (L-3819A6DF + L-DB2E81BA) is 4",
        ],
      });
      await expect(check(POOLS, { [STANDARD]: 5 })).resolves.toEqual({
        warnings: ["web, seat 0 want 6 vCPUs of on-demand standard instances, the account's quota (L-1216C47A) is 5"],
      });
    });

    test('seats that cannot fit stop the wake', async () => {
      await expect(check('controlPlane: { seats: 3 }', { [STANDARD]: 5 })).rejects.toThrow(
        "Missing: seat 0, seat 1, seat 2 want 6 vCPUs of on-demand standard instances, the account's quota (L-1216C47A) is 5",
      );
    });

    test('families with quotas of their own are left alone', async () => {
      const pools = 'pools: [{ name: odd, instanceTypes: [x2idn.32xlarge], ingress: true }]';
      await expect(check(pools, { [STANDARD]: 2 })).resolves.toEqual({ warnings: [] });
    });
  });

  test.each([
    [
      50,
      'a disk for group drowse-pool-gpu that holds its image: ami-0123456789abcdef0 has 75 GiB, the disk 50 GiB (set diskGiB of pool gpu to at least 75, and deploy)',
    ],
    [75, undefined],
    [undefined, undefined],
  ])('compares the disk of each pool (%s GiB) with its image', (diskGiB, problem) => {
    const disk = diskGiB === undefined ? '' : `, diskGiB: ${String(diskGiB)}`;
    const yaml = `controlPlane: { diskGiB: 80 }\npools: [{ name: gpu, instanceTypes: [g4dn.xlarge], gpu: true, ingress: true${disk} }]`;
    return live(yaml, async (twin) => {
      // As large as the public GPU image.
      twin.model.ec2.imageGiB.set('ami-0123456789abcdef0', 75);
      const end = makeStep(twin.model, 'check-prerequisites')(await begin(twin, 'wake'));
      if (problem === undefined) await expect(end).resolves.toEqual({ warnings: [] });
      else expect((await thrownBy(end)).message).toBe(`Missing: ${problem}`);
    });
  });

  test('a seat’s disk is compared, too', () =>
    live('controlPlane: { diskGiB: 20 }', async (twin) => {
      twin.model.ec2.imageGiB.set('ami-0123456789abcdef0', 30);
      const end = makeStep(twin.model, 'check-prerequisites')(await begin(twin, 'wake'));
      expect((await thrownBy(end)).message).toContain('(set controlPlane.diskGiB to at least 30, and deploy)');
    }));

  test('lists everything that is missing', () =>
    live('controlPlane: { seats: 3 }', async (twin) => {
      const { ec2, autoScaling } = twin.model;
      ec2.volumes.splice(1, 1);
      ec2.address = undefined;
      ec2.images.clear();
      ec2.launchTemplates.delete('lt-drowse-seat-2');
      const leased = await begin(twin, 'wake');
      const step = makeStep(twin.model, 'check-prerequisites');
      const missing = await thrownBy(step(leased));
      expect(missing).toMatchObject({ name: 'PrerequisiteMissing' });
      expect(missing.message).toMatch(
        /^Missing: state volume of seat 1; Elastic IP eipalloc-\w+ was released; image ami-\w+ of group drowse-pool-gpu; .*launch template lt-drowse-seat-2 of group drowse-seat-2$/,
      );
      autoScaling.groups.clear();
      await expect(step(leased)).rejects.toThrow(/no group with drowse:role=seat; no group with drowse:role=pool/);
    }));
});

describe('start-seats', () => {
  test('gives each seat one instance, once', () =>
    live('controlPlane: { seats: 3 }', async (twin) => {
      const leased = await begin(twin, 'wake');
      const step = makeStep(twin.model, 'start-seats');
      await step(leased);
      await seconds(30);
      await step(leased);
      await seconds(30);
      expect(twin.model.ec2.in('running').map(({ tags }) => tags[TAG.seat])).toEqual(['0', '1', '2']);
      expect(twin.model.calls.of('UpdateAutoScalingGroup')).toHaveLength(3);
    }));

  test('replaces a seat that an earlier wake left behind as failed', () =>
    liveAwake('', async (twin) => {
      twin.model.ec2.get('i-00000000000000001').tags[TAG.phase] = 'failed:volume-missing';
      const leased = await begin(twin, 'wake');
      const { errors } = await until(() => makeStep(twin.model, 'start-seats')(leased));
      expect(kinds(errors)).toEqual(['InstancesStillThere']);
      await seconds(120);
      const seats = twin.model.ec2.in('running').filter(({ tags }) => tags[TAG.role] === 'seat');
      expect(seats.map(({ tags }) => tags[TAG.phase])).toEqual(['ready']);
    }));
});

describe('wait-for-api', () => {
  test('waits for an instance, then for its word', () =>
    live('', async (twin) => {
      const leased = await begin(twin, 'wake');
      const step = makeStep(twin.model, 'wait-for-api');
      await expect(step(leased)).rejects.toThrow('No control-plane seat has an instance yet');
      await makeStep(twin.model, 'start-seats')(leased);
      await seconds(30);
      await expect(step(leased)).rejects.toMatchObject({
        name: 'ApiNotReady',
        message: expect.stringContaining('(seat 0, running, booting)') as string,
      });
      const { result } = await until(() => step(leased));
      expect(result).toEqual({ seat: 'i-00000000000000001' });
    }));

  test('one ready seat of three is enough; that all failed is said at once', () =>
    liveAwake('controlPlane: { seats: 3 }', async (twin) => {
      const leased = await begin(twin, 'wake');
      const seats = twin.model.ec2.in('running').filter(({ tags }) => tags[TAG.role] === 'seat');
      const step = makeStep(twin.model, 'wait-for-api');
      seats[0]!.tags[TAG.phase] = 'failed:state-lost';
      await expect(step(leased)).resolves.toEqual({ seat: seats[1]!.id });
      for (const seat of seats) seat.tags[TAG.phase] = 'failed:state-lost';
      await expect(step(leased)).rejects.toMatchObject({
        name: 'NodeFailed',
        message: expect.stringContaining('failed:state-lost') as string,
      });
    }));
});

describe('start-pools', () => {
  const sizesOf = (twin: Parameters<Parameters<typeof live>[1]>[0]) =>
    Object.fromEntries(
      ['web', 'batch', 'gpu'].map((pool) => {
        const { min, desired, max } = twin.model.autoScaling.get(`drowse-pool-${pool}`);
        return [pool, { min, desired, max }];
      }),
    );

  test('brings back the sizes of the last sleep, within what cluster.yaml allows now', () =>
    live(THREE_POOLS, async (twin) => {
      const leased = await begin(twin, 'wake');
      twin.model.record.sizes = {
        web: { min: 1, desired: 4, max: 4 },
        batch: { min: 1, desired: 0, max: 3 },
        gpu: { min: 0, desired: 9, max: 9 },
      };
      await makeStep(twin.model, 'start-pools')(leased);
      expect(sizesOf(twin)).toEqual({
        web: { min: 1, desired: 4, max: 4 },
        batch: { min: 1, desired: 1, max: 3 },
        gpu: { min: 0, desired: 5, max: 5 },
      });
    }));

  test('starts a new cluster at the configured sizes, whatever was recorded', () =>
    live(THREE_POOLS, async (twin) => {
      const leased = await begin(twin, 'bootstrap');
      twin.model.record.sizes = { web: { min: 0, desired: 0, max: 1 } };
      await makeStep(twin.model, 'start-pools')(leased);
      expect(sizesOf(twin)).toEqual({
        web: { min: 1, desired: 2, max: 4 },
        batch: { min: 1, desired: 2, max: 3 },
        gpu: { min: 0, desired: 0, max: 5 },
      });
    }));

  test('keeps every pool from ending nodes to even out its zones', () =>
    live(THREE_POOLS, async (twin) => {
      await makeStep(twin.model, 'start-pools')(await begin(twin, 'bootstrap'));
      expect(twin.model.calls.of('SuspendProcesses').map(({ input }) => input)).toEqual(
        ['drowse-pool-batch', 'drowse-pool-gpu', 'drowse-pool-web'].map((AutoScalingGroupName) => ({
          AutoScalingGroupName,
          ScalingProcesses: ['AZRebalance'],
        })),
      );
    }));

  test('does not shrink pools that are up', () =>
    liveAwake(THREE_POOLS, async (twin) => {
      twin.model.autoScaling.resize(twin.model.autoScaling.get('drowse-pool-gpu'), 0, 3, 5);
      const leased = await begin(twin, 'wake');
      await makeStep(twin.model, 'start-pools')(leased);
      expect(sizesOf(twin).gpu).toEqual({ min: 0, desired: 3, max: 5 });
    }));

  test('starts stopped nodes, believes nothing that they said before, and gives them back to their group', () =>
    liveAwake(THREE_POOLS, async (twin) => {
      await twin.run('sleep');
      const stopped = twin.model.ec2.in('stopped');
      expect(stopped.map(({ tags }) => tags[TAG.phase])).toEqual(['ready', 'ready']);
      const leased = await begin(twin, 'wake');
      const step = makeStep(twin.model, 'start-pools');
      await expect(step(leased)).rejects.toMatchObject({ name: 'InstancesNotStarted' });
      expect(stopped.map(({ tags }) => tags[TAG.phase])).toEqual(['booting', 'booting']);
      const { errors } = await until(() => step(leased));
      expect(kinds(errors)).toEqual(['InstancesNotStarted']);
      expect(sizesOf(twin).batch).toEqual({ min: 1, desired: 2, max: 3 });
      await seconds(10);
      const { lifecycle } = twin.model.autoScaling.get('drowse-pool-batch');
      expect([...lifecycle]).toEqual(stopped.map(({ id }) => [id, 'InService']));
    }));
});

describe('create-load-balancer', () => {
  test('makes it with its listener, once', () =>
    live('', async (twin) => {
      const leased = await begin(twin, 'wake');
      const step = makeStep(twin.model, 'create-load-balancer');
      const made = await step(leased);
      expect(made).toEqual({ dnsName: 'drowse-api.elb.us-east-1.amazonaws.com' });
      await expect(step(leased)).resolves.toEqual(made);
      const [balancer, ...others] = twin.model.loadBalancing.loadBalancers.values();
      expect(others).toEqual([]);
      expect(balancer).toMatchObject({
        name: 'drowse-api',
        subnets: ['subnet-a', 'subnet-b', 'subnet-c'],
        listeners: [{ Port: 6443, Protocol: 'TCP', targetGroup: expect.stringContaining('targetgroup') as string }],
      });
    }));

  test('finishes one that an aborted wake left without a listener', () =>
    live('', async (twin) => {
      const leased = await begin(twin, 'wake');
      const step = makeStep(twin.model, 'create-load-balancer');
      await step(leased);
      const [balancer] = twin.model.loadBalancing.loadBalancers.values();
      balancer!.listeners.length = 0;
      await step(leased);
      expect(balancer!.listeners).toHaveLength(1);
    }));

  test('does not take one that a sleep has deleted for its own, however long AWS lists it', () =>
    liveAwake('', async (twin) => {
      const { loadBalancing } = twin.model;
      loadBalancing.times.delete = 30;
      const [old] = loadBalancing.loadBalancers.keys();
      const sleep = makeStep(twin.model, 'delete-load-balancer');
      await expect(sleep(await begin(twin, 'sleep'))).rejects.toMatchObject({ name: 'LoadBalancerStillThere' });
      const leased = await begin(stop(twin, 'sleep'), 'wake');
      const { errors } = await until(() => makeStep(twin.model, 'create-load-balancer')(leased));
      expect(kinds(errors)).toEqual(['LoadBalancerStillThere']);
      await seconds(60);
      expect([...loadBalancing.loadBalancers.keys()]).toEqual([expect.not.stringMatching(old!)]);
      expect([...loadBalancing.loadBalancers.values()][0]!.listeners).toHaveLength(1);
    }));

  test('ends one that a sleep meant to delete when it was stopped, and makes another', () =>
    liveAwake('', async (twin) => {
      const { loadBalancing } = twin.model;
      const [old] = loadBalancing.loadBalancers.keys();
      twin.model.faults.add({ action: 'DeleteLoadBalancer', times: 1, with: () => new Error('stopped here') });
      const sleep = makeStep(twin.model, 'delete-load-balancer');
      await expect(sleep(await begin(twin, 'sleep'))).rejects.toThrow('stopped here');
      await makeStep(twin.model, 'create-load-balancer')(await begin(stop(twin, 'sleep'), 'wake'));
      expect([...loadBalancing.loadBalancers.keys()]).toEqual([expect.not.stringMatching(old!)]);
    }));

  test('waits while AWS answers by the one that goes, or knows it no more', () =>
    liveAwake('', async (twin) => {
      const { loadBalancing, faults } = twin.model;
      const gone = () => new LoadBalancerNotFoundException({ message: 'gone', $metadata: {} });
      faults.add({ action: 'DescribeListeners', times: 1, with: gone });
      const leased = await begin(twin, 'wake');
      const step = makeStep(twin.model, 'create-load-balancer');
      await expect(step(leased)).rejects.toThrow('is listed, and gone');
      loadBalancing.times.delete = 30;
      await expect(makeStep(twin.model, 'delete-load-balancer')(leased)).rejects.toThrow('was deleted and is active');
      faults.add({ action: 'DescribeLoadBalancers', times: 1, with: gone });
      await expect(step(leased)).rejects.toThrow('is on its way out');
    }));

  test('takes a listener that a call before it has made', () =>
    live('', async (twin) => {
      const leased = await begin(twin, 'wake');
      const there = () => new DuplicateListenerException({ message: 'it exists', $metadata: {} });
      twin.model.faults.add({ action: 'CreateListener', times: 1, with: there });
      await expect(makeStep(twin.model, 'create-load-balancer')(leased)).resolves.toMatchObject({
        dnsName: expect.any(String) as string,
      });
    }));

  test.each([
    ['that is reached through a tunnel', 'apiAccess: tunnel'],
    ['without addresses of operators: nobody could go through it', 'operatorCidrs: []'],
  ])('makes none for a cluster %s', (_, yaml) =>
    live(yaml, async (twin) => {
      const leased = await begin(twin, 'wake');
      await expect(makeStep(twin.model, 'create-load-balancer')(leased)).resolves.toEqual({});
      expect(twin.model.loadBalancing.loadBalancers.size).toBe(0);
    }),
  );
});

describe('wait-for-nodes', () => {
  test('counts what serves and says that it is ready, in each pool', () =>
    liveAwake(THREE_POOLS, async (twin) => {
      const leased = await begin(twin, 'wake');
      const step = makeStep(twin.model, 'wait-for-nodes');
      await expect(step(leased)).resolves.toEqual({ missing: 0, degraded: [] });
      const node = twin.model.ec2.in('running').find(({ tags }) => tags[TAG.pool] === 'batch')!;
      node.tags[TAG.phase] = 'joining';
      await expect(step(leased)).rejects.toMatchObject({
        name: 'NodesNotReady',
        message: expect.stringMatching(/batch has 1 of 2: .*joining/) as string,
      });
      node.tags[TAG.phase] = 'ready';
      twin.model.autoScaling.resize(twin.model.autoScaling.get('drowse-pool-gpu'), 0, 1, 5);
      await expect(step(leased)).rejects.toThrow('gpu has 0 of 1: no instance yet');
    }));

  test.each([
    ['InsufficientInstanceCapacity - We currently do not have sufficient g4dn.xlarge capacity', 'AWS has no capacity'],
    ['MaxSpotInstanceCountExceeded - Max spot instance count exceeded', 'the spot quota is used up'],
    ['VcpuLimitExceeded - You have requested more vCPU capacity than your limit', 'the vCPU quota is used up'],
  ])('names %s at once, and goes on without the pool after five minutes', (message, reason) =>
    live(THREE_POOLS, async (twin) => {
      twin.model.autoScaling.get('drowse-pool-web').noCapacity = `Could not launch. ${message}`;
      const leased = await begin(twin, 'bootstrap');
      const start = Date.now();
      await makeStep(twin.model, 'start-pools')(leased);
      await makeStep(twin.model, 'start-seats')(leased);
      await seconds(30);
      const step = makeStep(twin.model, 'wait-for-nodes');
      await expect(step(leased)).rejects.toMatchObject({
        name: 'NodesNotReady',
        message: expect.stringContaining(`web has 0 of 2: ${reason}`) as string,
      });
      const { result } = await until(() => step(leased));
      expect(result).toEqual({
        missing: 1,
        degraded: [{ pool: 'web', reason: expect.stringContaining(message) as string }],
      });
      expect(Date.now() - start).toBeGreaterThan(300_000);
      expect(Date.now() - start).toBeLessThan(320_000);
    }),
  );

  test('passes on whatever AWS says, known or not', () =>
    live('', async (twin) => {
      twin.model.autoScaling.get('drowse-pool-gpu').noCapacity = 'The key pair does not exist';
      const leased = await begin(twin, 'bootstrap');
      await makeStep(twin.model, 'start-pools')(leased);
      await seconds(60);
      const step = makeStep(twin.model, 'wait-for-nodes');
      await expect(step(leased)).rejects.toMatchObject({
        name: 'NodesNotReady',
        message: expect.stringContaining('AWS refuses the launch: The key pair does not exist.') as string,
      });
      await seconds(300);
      expect(await step(leased)).toMatchObject({ missing: 1 });
    }));

  test('does not count a node that its hook still holds', () =>
    liveAwake('', async (twin) => {
      const leased = await begin(twin, 'wake');
      twin.model.autoScaling.get('drowse-pool-gpu').lifecycle.set('i-00000000000000002', 'Pending:Wait');
      await expect(makeStep(twin.model, 'wait-for-nodes')(leased)).rejects.toMatchObject({ name: 'NodesNotReady' });
    }));
});

describe('verify-elastic-ip', () => {
  test('sees it on the ingress node', () =>
    liveAwake('', async (twin) => {
      await expect(makeStep(twin.model, 'verify-elastic-ip')(await begin(twin, 'wake'))).resolves.toEqual({
        publicIp: '203.0.113.7',
        instanceId: 'i-00000000000000002',
      });
    }));

  test.each([
    ['nowhere', undefined, 'no instance'],
    ['on a node that is not the ingress', 'i-00000000000000001', 'i-00000000000000001'],
  ])('waits while it is %s', (_where, holder, told) =>
    liveAwake('', async (twin) => {
      twin.model.ec2.address!.instanceId = holder;
      await expect(makeStep(twin.model, 'verify-elastic-ip')(await begin(twin, 'wake'))).rejects.toMatchObject({
        name: 'ElasticIpNotInPlace',
        message: `203.0.113.7 is on ${told} instead of i-00000000000000002`,
      });
    }),
  );

  test('has nothing to see when the ingress pool is empty', () =>
    live('', async (twin) => {
      const leased = await begin(twin, 'wake');
      await expect(makeStep(twin.model, 'verify-elastic-ip')(leased)).resolves.toEqual({ publicIp: '203.0.113.7' });
    }));
});

describe.each(['install-network', 'reconcile-platform'])('%s', (name) => {
  test('runs its command once and returns what is ready', () =>
    liveAwake('', async (twin) => {
      const leased = await begin(twin, 'bootstrap');
      const step = makeStep(twin.model, name);
      const { result, errors } = await until(() => step(leased));
      expect(result).toMatchObject({ ready: expect.arrayContaining([expect.any(String)]) as string[] });
      expect(kinds(errors)).toEqual(['CommandInProgress']);
      await step(leased);
      expect(twin.model.calls.of('SendCommand')).toHaveLength(1);
    }));

  test('names what failed', () =>
    liveAwake('', async (twin) => {
      const leased = await begin(twin, 'bootstrap');
      const told = { ok: false, error: 'PlatformNotReady', message: 'ingress: no endpoints' };
      twin.model.ssm.documents.set(`drowse-${name}`, () => ({ seconds: 1, result: told }));
      const step = makeStep(twin.model, name);
      await expect(step(leased)).rejects.toMatchObject({ name: 'CommandInProgress' });
      await seconds(10);
      await expect(step(leased)).rejects.toMatchObject({
        name: name === 'reconcile-platform' ? 'PlatformNotReady' : 'CommandFailed',
        message: expect.stringContaining('PlatformNotReady: ingress: no endpoints') as string,
      });
    }));
});

describe('reconcile-platform', () => {
  const POOLS = `
pools:
  - { name: web, instanceTypes: [t3.large], min: 2, desired: 2, max: 2, ingress: true }
  - { name: gpu, instanceTypes: [g4dn.xlarge], gpu: true, min: 1 }
`;

  test.each([
    ['no pool', [], 'none'],
    ['the GPU pool', ['gpu'], 'gpu'],
    ['the pool without GPUs', ['web'], 'workers'],
    ['both', ['web', 'gpu'], 'workers'],
  ])('is told to do without nodes where %s is short', (_what, short, told) =>
    liveAwake(POOLS, async (twin) => {
      const leased = await begin(twin, 'install-platform');
      for (const pool of short) {
        // One of several is enough to be short.
        twin.model.ec2.in('running').find(({ tags }) => tags[TAG.pool] === pool)!.tags[TAG.phase] = 'joining';
      }
      await expect(makeStep(twin.model, 'reconcile-platform')(leased)).rejects.toThrow('was sent');
      expect(twin.model.calls.of('SendCommand').at(-1)!.input).toMatchObject({ Parameters: { Without: [told] } });
    }),
  );

  test('counts a pool that is all there is as all workers, and asks AWS only when it sends', () =>
    liveAwake('', async (twin) => {
      const leased = await begin(twin, 'install-platform');
      twin.model.ec2.in('running').find(({ tags }) => tags[TAG.pool] === 'gpu')!.tags[TAG.phase] = 'booting';
      const { result } = await until(() => makeStep(twin.model, 'reconcile-platform')(leased));
      expect(result).toEqual({
        ready: expect.arrayContaining(['ingress', 'network']) as string[],
        leftOut: expect.arrayContaining(['monitoring', 'apps']) as string[],
      });
      expect(twin.model.calls.of('SendCommand').at(-1)!.input).toMatchObject({ Parameters: { Without: ['workers'] } });
      expect(twin.model.calls.of('DescribeAutoScalingGroups')).toHaveLength(1);
    }));
});
