import { TAG } from '../../core/config/names';
import { seconds } from '../../sim/virtual-time';
import { begin, kinds, live, liveAwake, makeStep, THREE_POOLS, thrownBy, until } from './support';

describe('record-sizes', () => {
  test('keeps the sizes of the pools, and holds each at its size', () =>
    liveAwake(THREE_POOLS, async (twin) => {
      const leased = await begin(twin);
      const web = twin.model.autoScaling.get('drowse-pool-web');
      twin.model.autoScaling.resize(web, 1, 3, 4);
      await makeStep(twin.model, 'record-sizes')(leased);
      expect(twin.model.record.sizes).toEqual({
        web: { min: 1, desired: 3, max: 4 },
        batch: { min: 1, desired: 2, max: 3 },
        gpu: { min: 0, desired: 0, max: 5 },
      });
      expect(web).toMatchObject({ min: 1, desired: 3, max: 3 });
      expect(twin.model.autoScaling.get('drowse-pool-gpu')).toMatchObject({ desired: 0, max: 0 });
      expect(twin.model.autoScaling.get('drowse-seat-0')).toMatchObject({ desired: 1, max: 1 });
    }));

  test('called again, by it or by the next sleep, does not take the held sizes for the real ones', () =>
    liveAwake(THREE_POOLS, async (twin) => {
      const leased = await begin(twin);
      const step = makeStep(twin.model, 'record-sizes');
      await step(leased);
      const { sizes } = twin.model.record;
      await step(leased);
      expect(twin.model.record.sizes).toEqual(sizes);
    }));

  test('learns nothing from pools that are at zero', () =>
    live('', async (twin) => {
      const pool = twin.model.autoScaling.get('drowse-pool-gpu');
      twin.model.autoScaling.resize(pool, 0, 0, 0);
      await makeStep(twin.model, 'record-sizes')(await begin(twin));
      expect(twin.model.record).not.toHaveProperty('sizes');
    }));
});

describe.each([
  ['drain-nodes', { drained: ['i-00000000000000002'], stuck: [] }, { drained: [], stuck: [] }],
  [
    'snapshot-etcd',
    {
      key: expect.stringMatching(/^snapshots\/.*-sleep/) as string,
      bytes: expect.any(Number) as number,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      revision: 1000,
      at: expect.any(String) as string,
    },
    { skipped: 'no control-plane seat runs' },
  ],
  ['delete-stale-nodes', { nodes: [], volumeAttachments: 0 }, { nodes: [], volumeAttachments: 0 }],
])('%s', (name, result, nothing) => {
  test('runs its command once, and returns its result however often it is asked', () =>
    liveAwake('', async (twin) => {
      const leased = await begin(twin);
      const step = makeStep(twin.model, name);
      const first = await until(() => step(leased));
      expect(first.result).toEqual(result);
      expect(kinds(first.errors)).toEqual(['CommandInProgress']);
      await expect(step(leased)).resolves.toEqual(result);
      expect(twin.model.calls.of('SendCommand')).toHaveLength(1);
      expect(twin.model.calls.of('SendCommand')[0]).toMatchObject({
        input: { DocumentName: `drowse-${name}`, InstanceIds: ['i-00000000000000001'] },
      });
    }));

  test('has nothing to do when nothing runs', () =>
    live('', async (twin) => {
      await expect(makeStep(twin.model, name)(await begin(twin))).resolves.toEqual(nothing);
      expect(twin.model.calls.of('SendCommand')).toEqual([]);
    }));

  test('waits for a seat that is not ready', () =>
    liveAwake('', async (twin) => {
      twin.model.ec2.get('i-00000000000000001').tags[TAG.phase] = 'control-plane';
      await expect(makeStep(twin.model, name)(await begin(twin))).rejects.toMatchObject({ name: 'ApiNotReady' });
    }));

  test('says what the script says when it fails, and runs it anew when called again', () =>
    liveAwake('', async (twin) => {
      const leased = await begin(twin);
      const document = `drowse-${name}`;
      const good = twin.model.ssm.documents.get(document)!;
      const told = { ok: false, error: 'EtcdUnhealthy', message: 'no leader' };
      twin.model.ssm.documents.set(document, () => ({ seconds: 1, result: told }));
      const step = makeStep(twin.model, name);
      await expect(step(leased)).rejects.toMatchObject({ name: 'CommandInProgress' });
      await seconds(10);
      await expect(step(leased)).rejects.toMatchObject({
        name: 'CommandFailed',
        message: expect.stringContaining('EtcdUnhealthy: no leader') as string,
      });
      twin.model.ssm.documents.set(document, good);
      await expect(until(() => step(leased))).resolves.toMatchObject({ result });
    }));

  test('waits for an API that went away under the script', () =>
    liveAwake('', async (twin) => {
      const leased = await begin(twin);
      const told = { ok: false, error: 'ApiNotReady', message: 'connection refused' };
      twin.model.ssm.documents.set(`drowse-${name}`, () => ({ seconds: 1, result: told }));
      const step = makeStep(twin.model, name);
      await expect(step(leased)).rejects.toMatchObject({ name: 'CommandInProgress' });
      await seconds(10);
      await expect(step(leased)).rejects.toMatchObject({ name: 'ApiNotReady' });
    }));

  test('sends the command again when the seat that ran it is gone', () =>
    liveAwake('controlPlane: { seats: 3 }', async (twin) => {
      const leased = await begin(twin);
      const step = makeStep(twin.model, name);
      await expect(step(leased)).rejects.toMatchObject({ name: 'CommandInProgress' });
      const [sent] = twin.model.calls.of('SendCommand');
      const [seat = ''] = (sent!.input as { InstanceIds: string[] }).InstanceIds;
      twin.model.ec2.terminate(seat);
      await until(() => step(leased));
      const seats = twin.model.calls
        .of('SendCommand')
        .map(({ input }) => (input as { InstanceIds: string[] }).InstanceIds[0]);
      expect(seats).toEqual([seat, expect.not.stringMatching(seat)]);
    }));

  test('refuses an answer that is not the one agreed', () =>
    liveAwake('', async (twin) => {
      const leased = await begin(twin);
      twin.model.ssm.documents.set(`drowse-${name}`, () => ({ seconds: 1, result: { ok: true } }));
      const step = makeStep(twin.model, name);
      await expect(step(leased)).rejects.toMatchObject({ name: 'CommandInProgress' });
      await seconds(10);
      await expect(step(leased)).rejects.toMatchObject({
        name: 'CommandFailed',
        message: expect.stringContaining(`The answer of ${name} is none that it should give`) as string,
      });
    }));
});

describe('stop-pools', () => {
  test('ends what terminates, keeps what stops, and is done when neither is billed', () =>
    liveAwake(THREE_POOLS, async (twin) => {
      const leased = await begin(twin);
      const step = makeStep(twin.model, 'stop-pools');
      const { result, errors } = await until(() => step(leased));
      expect(kinds(errors)).toEqual(['InstancesStillThere']);
      const stopped = twin.model.ec2.in('stopped');
      expect(stopped.map(({ tags }) => tags[TAG.pool])).toEqual(['batch', 'batch']);
      expect(result).toEqual({ stopped: stopped.map(({ id }) => id) });
      expect(twin.model.ec2.in('running').map(({ tags }) => tags[TAG.role])).toEqual(['seat']);
      for (const pool of ['web', 'batch', 'gpu']) {
        expect(twin.model.autoScaling.get(`drowse-pool-${pool}`)).toMatchObject({ min: 0, desired: 0, max: 0 });
      }
      twin.model.calls.all.length = 0;
      await expect(step(leased)).resolves.toEqual(result);
      expect(twin.model.calls.all.map(({ action }) => action)).toEqual([
        'Update',
        'DescribeAutoScalingGroups',
        'DescribeInstances',
      ]);
    }));

  test('gives up a launch that a hook holds: it would be billed for half an hour', () =>
    live('', async (twin) => {
      twin.model.nodes.plan = () => ({ boot: 10, runtime: 10, last: 10, hangsIn: 'runtime' });
      const leased = await begin(twin, 'wake');
      await makeStep(twin.model, 'start-pools')(leased);
      await seconds(30);
      expect([...twin.model.autoScaling.get('drowse-pool-gpu').lifecycle.values()]).toEqual(['Pending:Wait']);
      const { errors } = await until(() => makeStep(twin.model, 'stop-pools')(leased));
      expect(errors.length).toBeLessThan(15);
      expect(twin.model.ec2.in('pending', 'running')).toEqual([]);
    }));
});

describe('stop-seats', () => {
  test('waits until the last seat is gone, then stays done', () =>
    liveAwake('controlPlane: { seats: 3 }', async (twin) => {
      const leased = await begin(twin);
      const step = makeStep(twin.model, 'stop-seats');
      const { errors } = await until(() => step(leased));
      expect(kinds(errors)).toEqual(['InstancesStillThere']);
      expect(twin.model.ec2.in('running').map(({ tags }) => tags[TAG.role])).toEqual(['pool']);
      await expect(step(leased)).resolves.toBeUndefined();
    }));
});

describe('delete-load-balancer', () => {
  test('deletes it, and is content when there is none', () =>
    liveAwake('', async (twin) => {
      const leased = await begin(twin);
      expect(twin.model.loadBalancing.loadBalancers.size).toBe(1);
      const step = makeStep(twin.model, 'delete-load-balancer');
      await step(leased);
      expect(twin.model.loadBalancing.loadBalancers.size).toBe(0);
      await step(leased);
      expect(twin.model.calls.of('DeleteLoadBalancer')).toHaveLength(1);
    }));

  test('waits while AWS still lists it', () =>
    liveAwake('', async (twin) => {
      const leased = await begin(twin);
      twin.model.loadBalancing.times.delete = 12;
      const { errors } = await until(() => makeStep(twin.model, 'delete-load-balancer')(leased));
      expect(kinds(errors)).toEqual(['LoadBalancerStillThere']);
    }));
});

describe('delete-join-tokens', () => {
  test('deletes all of them, in as many calls as it takes, and nothing else', () =>
    live('', async (twin) => {
      const leased = await begin(twin);
      const { parameters } = twin.model.ssm;
      for (let n = 0; n < 23; n += 1) parameters.set(`/drowse/drowse/join/pool-${String(n)}`, 'sealed');
      parameters.set('/drowse/drowse/kubeconfig', 'sealed');
      parameters.set('/drowse/drowse-2/join/gpu', 'sealed');
      const step = makeStep(twin.model, 'delete-join-tokens');
      await step(leased);
      expect([...parameters.keys()]).toEqual(['/drowse/drowse/kubeconfig', '/drowse/drowse-2/join/gpu']);
      expect(twin.model.calls.of('DeleteParameters')).toHaveLength(3);
      await step(leased);
      expect(twin.model.calls.of('DeleteParameters')).toHaveLength(3);
    }));
});

describe('verify-asleep', () => {
  test('lists everything that is left', () =>
    liveAwake('', async (twin) => {
      const leased = await begin(twin);
      twin.model.ec2.address = undefined;
      const found = await thrownBy(makeStep(twin.model, 'verify-asleep')(leased));
      expect(found).toMatchObject({ name: 'StillBillable' });
      for (const part of [
        /instances i-0+1 \(seat 0, running, ready\), i-0+2 \(gpu, running, ready\)/,
        /groups with a size drowse-pool-gpu, drowse-seat-0/,
        /load balancer drowse-api/,
        /join tokens \/drowse\/drowse\/join\/gpu/,
        /no Elastic IP/,
      ]) {
        expect(found.message).toMatch(part);
      }
    }));

  test('believes a cluster that sleeps, stopped nodes of a pool that stops included', () =>
    liveAwake(THREE_POOLS, async (twin) => {
      await twin.run('sleep');
      expect(twin.model.ec2.in('stopped')).toHaveLength(2);
      await expect(makeStep(twin.model, 'verify-asleep')(await begin(twin))).resolves.toBeUndefined();
    }));

  test('does not believe in a stopped instance of another pool: its disk is billed', () =>
    liveAwake('', async (twin) => {
      await twin.run('sleep');
      const instance = twin.model.ec2.launch({ ...twin.model.autoScaling.get('drowse-pool-gpu').tags });
      instance.state = 'stopped';
      await expect(makeStep(twin.model, 'verify-asleep')(await begin(twin))).rejects.toThrow('stopped');
    }));
});
