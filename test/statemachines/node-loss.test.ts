import { TAG } from '../../core/config/names';
import { INTERRUPTED, TERMINATED } from '../../core/decisions/node-events';
import { ec2Error, serviceFault } from '../../sim/aws/errors';
import type { Twin } from '../../sim/run';
import { seconds } from '../../sim/virtual-time';
import type { Execution } from '../../sim/workflows';
import { live, liveAwake, makeStep } from '../lambdas/support';
import { expectAsleep, expectAwake } from './expectations';

/** Two ingress nodes, so that the Elastic IP has somewhere to go, and a pool beside them. */
const TWO = `
pools:
  - { name: web, instanceTypes: [t3.large], market: spot, min: 1, desired: 2, max: 4, ingress: true }
  - { name: gpu, instanceTypes: [g4dn.xlarge], gpu: true, market: spot, min: 1 }
`;

const holder = ({ model }: Twin) => model.ec2.address!.instanceId!;
const losses = ({ workflows }: Twin) => workflows.of('handle-node-loss');
const eventOf = ({ model }: Twin, id: string) => model.dynamo.items.get(`event#node#${id}`);

/** The other ingress node that serves. */
function heirOf({ model }: Twin): string {
  const ingress = model.ec2.in('running').filter(({ tags }) => tags[TAG.ingress] === 'true');
  return ingress.map(({ id }) => id).find((id) => id !== model.ec2.address!.instanceId)!;
}

/** Waits for everything that an event has set going. */
async function settle(twin: Twin): Promise<Execution[]> {
  await seconds(400);
  for (const { over } of losses(twin)) await over;
  return losses(twin);
}

function nodeOf({ model }: Twin, pool: string): string {
  return model.ec2.in('running').find(({ tags }) => tags[TAG.pool] === pool)!.id;
}

describe('an ingress node that ends behind our back', () => {
  test('hands the Elastic IP to another that serves; its Node object goes; that is told and kept', () =>
    liveAwake(TWO, async (twin) => {
      twin.model.sns.messages.length = 0;
      const [lost, heir] = [holder(twin), heirOf(twin)];
      twin.model.ec2.terminate(lost);
      // 35 s until it has ended, then two seconds for event and start.
      await seconds(40);
      expect(holder(twin)).toBe(heir);
      const [execution] = await settle(twin);
      expect(execution).toMatchObject({ status: 'SUCCEEDED' });
      expect(twin.model.inside.nodes).not.toContain(lost);
      expect(eventOf(twin, lost)).toMatchObject({
        what: 'terminated',
        instance: lost,
        pool: 'web',
        at: expect.stringMatching(/^2026-/) as string,
        elasticIp: { holder: heir },
      });
      expect(twin.model.sns.messages).toEqual([
        expect.objectContaining({
          subject: `drowse: a node of web (${lost}) lost`,
          text: expect.stringContaining(`The Elastic IP is on ${heir} now`) as string,
        }),
      ]);
      expect(holder(twin)).toBe(heir);
      expectAwake(twin);
    }));

  test('leaves the Elastic IP to its replacement if there is no other', () =>
    liveAwake('', async (twin) => {
      const lost = holder(twin);
      twin.model.ec2.terminate(lost);
      await settle(twin);
      expect(twin.model.sns.messages.at(-1)).toMatchObject({
        text: expect.stringMatching(/The Elastic IP (is on i-\d+ now|goes to the new one)/) as string,
      });
      expect(holder(twin)).not.toBe(lost);
      expectAwake(twin);
    }));

  test('that is not the holder moves nothing', () =>
    liveAwake(TWO, async (twin) => {
      const [before, lost] = [holder(twin), heirOf(twin)];
      twin.model.ec2.terminate(lost);
      await settle(twin);
      expect(holder(twin)).toBe(before);
      // Nor does its replacement take it away.
      expect(twin.model.calls.of('AssociateAddress')).toEqual([]);
    }));
});

test('a Spot warning moves the Elastic IP while the node still runs, and is told once', () =>
  liveAwake(TWO, async (twin) => {
    twin.model.sns.messages.length = 0;
    const [lost, heir] = [holder(twin), heirOf(twin)];
    twin.workflows.interrupt(lost);
    await seconds(10);
    expect(holder(twin)).toBe(heir);
    expect(twin.model.ec2.get(lost).state).toBe('running');
    expect(twin.model.inside.nodes).toContain(lost);
    const [warning, end, ...more] = await settle(twin);
    expect([warning!.status, end!.status, more]).toEqual(['SUCCEEDED', 'SUCCEEDED', []]);
    expect(twin.model.inside.nodes).not.toContain(lost);
    expect(eventOf(twin, lost)).toMatchObject({ what: 'interrupted', pool: 'web' });
    expect(twin.model.sns.messages).toHaveLength(1);
    expectAwake(twin);
  }));

test('a node of another pool goes without a word about addresses', () =>
  liveAwake(TWO, async (twin) => {
    twin.model.sns.messages.length = 0;
    const lost = nodeOf(twin, 'gpu');
    twin.model.ec2.terminate(lost);
    await settle(twin);
    expect(twin.model.sns.messages).toHaveLength(1);
    expect(twin.model.sns.messages[0]!.text).not.toContain('Elastic IP');
    expect(twin.model.calls.all.filter(({ caller }) => caller === 'move-elastic-ip')).toEqual([]);
    expectAwake(twin);
  }));

describe('is no loss:', () => {
  test('what sleep ends; it starts nothing', () =>
    liveAwake(TWO, async (twin) => {
      await twin.run('sleep');
      await settle(twin);
      expect(losses(twin)).toEqual([]);
    }));

  test('what the autoscaler takes away', () =>
    liveAwake(TWO, async (twin) => {
      const web = twin.model.autoScaling.get('drowse-pool-web');
      twin.model.autoScaling.resize(web, 1, 1, 4);
      await settle(twin);
      expect(losses(twin)).toEqual([]);
    }));

  const event = (detailType: string, detail: object) => ({
    'detail-type': detailType,
    time: '2026-11-20T08:00:00Z',
    source: 'aws',
    detail,
  });
  const leaseOf = (workflow: string) => {
    const [owner, since, until] = ['arn', '2026-11-20T08:00:00Z', '2026-11-20T08:15:00Z'];
    return { owner, workflow, requestedBy: 'test', since, until, step: 'drain-nodes' };
  };
  const terminated = (EC2InstanceId: string, Cause = 'an EC2 health check') =>
    event(TERMINATED, { EC2InstanceId, Cause, AutoScalingGroupName: 'drowse-pool-web' });

  test.each<[string, (twin: Twin) => object, (twin: Twin) => unknown, RegExp]>([
    [
      'an instance of somebody else',
      () => event(INTERRUPTED, { 'instance-id': 'i-0' }),
      () => 0,
      /no instance of this/,
    ],
    ['while asleep', () => terminated('i-0'), (twin) => (twin.model.record.state = 'asleep'), /the cluster is asleep/],
    [
      'while sleeping',
      (twin) => terminated(holder(twin)),
      (twin) => Object.assign(twin.model.record, { state: 'sleeping', lease: leaseOf('sleep') }),
      /is sleeping/,
    ],
    [
      'a smaller size',
      (twin) => terminated(holder(twin), 'x, shrinking the capacity from 1 to 0.'),
      () => 0,
      /smaller/,
    ],
    [
      'a launch that was given up',
      (twin) => terminated(holder(twin)),
      (twin) => twin.model.dynamo.items.set(`launch#${holder(twin)}`, { id: 'x' }),
      /never joined/,
    ],
  ])('%s', (_what, makeEvent, prepare, reason) =>
    liveAwake(TWO, async (twin) => {
      twin.model.sns.messages.length = 0;
      prepare(twin);
      twin.workflows.start('handle-node-loss', makeEvent(twin));
      const [execution] = await settle(twin);
      expect(execution).toMatchObject({
        status: 'SUCCEEDED',
        output: { lost: { ignored: expect.stringMatching(reason) as string } },
      });
      expect(execution!.transitions).toBeLessThanOrEqual(5);
      expect(twin.model.sns.messages).toEqual([]);
    }),
  );
});

test('events that come twice do it once', () =>
  liveAwake(TWO, async (twin) => {
    twin.model.sns.messages.length = 0;
    const { onTerminate } = twin.model.autoScaling;
    twin.model.autoScaling.onTerminate = (detail) => {
      onTerminate(detail);
      onTerminate(detail);
    };
    twin.model.ec2.terminate(holder(twin));
    const executions = await settle(twin);
    expect(executions.map(({ status }) => status)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    expect(twin.model.sns.messages).toHaveLength(1);
    expectAwake(twin);
  }));

describe('the Elastic IP', () => {
  test('of two that give it away the second changes nothing', () =>
    liveAwake(TWO, async (twin) => {
      const [lost, heir] = [holder(twin), heirOf(twin)];
      const move = makeStep(twin.model, 'move-elastic-ip');
      const input = { execution: 'e', lost: { instanceId: lost, ingress: true } };
      const both = await Promise.all([move(input), move(input)]);
      expect(both.map((result) => (result as { holder: string }).holder)).toEqual([heir, heir]);
      expect(holder(twin)).toBe(heir);
    }));

  test('goes to nobody that has ended in between', () =>
    liveAwake(TWO, async (twin) => {
      const lost = holder(twin);
      const gone = () => ec2Error('InvalidInstanceID', 'not in a valid state for this operation');
      twin.model.faults.add({ caller: 'move-elastic-ip', action: 'AssociateAddress', times: 1, with: gone });
      twin.model.ec2.terminate(lost);
      const [execution] = await settle(twin);
      expect(execution).toMatchObject({ status: 'SUCCEEDED' });
      expectAwake(twin);
    }));

  test('is not taken from a node that serves by a replacement that saw it elsewhere', () =>
    liveAwake(TWO, async (twin) => {
      const [lost, heir] = [holder(twin), heirOf(twin)];
      twin.model.ec2.get(lost).tags[TAG.phase] = 'failed:start-failed';
      const third = nodeOf(twin, 'gpu');
      // Both have seen it with the failed node; the one that serves gets it first.
      const late = makeStep(twin.model, 'associate-elastic-ip')({ instanceId: third });
      await seconds(0.1);
      twin.model.ec2.address!.instanceId = undefined;
      await makeStep(twin.model, 'associate-elastic-ip')({ instanceId: heir });
      await late;
      expect([heir, third]).toContain(holder(twin));
      expect(twin.model.ec2.get(holder(twin)).state).toBe('running');
    }));
});

describe.each(['find-lost-node', 'move-elastic-ip', 'record-node-loss', 'delete-stale-nodes'])('when %s', (step) => {
  test.each([
    ['fails once for a fault of AWS’s', { with: () => serviceFault() }],
    ['never answers, once', { service: 'lambda', with: 'hang' as const }],
  ])('%s, it succeeds all the same', (_how, fault) =>
    liveAwake(TWO, async (twin) => {
      twin.model.faults.add({ caller: step, times: 1, ...fault });
      const lost = holder(twin);
      twin.model.ec2.terminate(lost);
      const [execution] = await settle(twin);
      expect([execution!.status, execution!.cause]).toEqual(['SUCCEEDED', undefined]);
      expect(eventOf(twin, lost)).toBeDefined();
      expectAwake(twin);
    }),
  );

  test('fails always: that is told, and the cluster repairs itself', () =>
    liveAwake(TWO, async (twin) => {
      twin.model.sns.messages.length = 0;
      twin.model.faults.add({ caller: step, service: 'lambda', with: () => new TypeError('broken') });
      twin.model.ec2.terminate(holder(twin));
      const [execution] = await settle(twin);
      expect(execution).toMatchObject({ status: 'FAILED', error: 'TypeError' });
      expect(twin.model.sns.messages.map(({ subject }) => subject)).toContain('drowse: handle-node-loss failed');
      expect(twin.model.dynamo.items.get(`event#${execution!.arn}`)).toMatchObject({ what: 'handle-node-loss-failed' });
      expectAwake(twin);
    }));
});

test('without an API to delete the Node, it ends well: a seat does that at its next boot', () =>
  liveAwake(TWO, async (twin) => {
    const told = { ok: false, error: 'ApiNotReady', message: 'connection refused' };
    twin.model.ssm.documents.set('drowse-delete-stale-nodes', () => ({ seconds: 1, result: told }));
    const lost = holder(twin);
    twin.model.ec2.terminate(lost);
    const [execution] = await settle(twin);
    expect(execution).toMatchObject({ status: 'SUCCEEDED', output: { stale: { Error: 'ApiNotReady' } } });
  }));

describe('a dead control-plane seat', () => {
  const seats = ({ model }: Twin) => model.ec2.in('running').filter(({ tags }) => tags[TAG.role] === 'seat');

  test.each([
    ['the only one', TWO],
    ['one of three', `controlPlane: { seats: 3 }\n${TWO}`],
  ])('%s, comes back without a person, and nodes join after it', (_which, yaml) =>
    liveAwake(yaml, async (twin) => {
      const [dead, ...others] = seats(twin);
      twin.model.ec2.terminate(dead!.id);
      const [execution] = await settle(twin);
      expect([execution!.status, execution!.cause]).toEqual(['SUCCEEDED', undefined]);
      expect(execution!.states.map(({ name }) => name)).not.toContain('DeleteStaleNodes');
      expect(seats(twin)).toHaveLength(others.length + 1);
      expect(twin.model.inside.nodes).not.toContain(dead!.id);
      expect(eventOf(twin, dead!.id)).toMatchObject({ role: 'seat', seat: dead!.tags[TAG.seat] });
      const gpu = twin.model.autoScaling.get('drowse-pool-gpu');
      twin.model.ec2.terminate(nodeOf(twin, 'gpu'));
      await settle(twin);
      expect([...gpu.lifecycle.values()]).toEqual(['InService']);
      expect(twin.workflows.of('join-node').at(-1)).toMatchObject({ status: 'SUCCEEDED' });
      expectAwake(twin);
      await twin.run('sleep');
      expectAsleep(twin);
    }),
  );

  test('that carries the Elastic IP takes it along', () =>
    liveAwake('controlPlane: { ingress: true }\npools: [{ name: web, instanceTypes: [t3.large] }]', async (twin) => {
      twin.model.ec2.terminate(holder(twin));
      await settle(twin);
      expect(holder(twin)).toBe(seats(twin)[0]!.id);
      expectAwake(twin);
    }));

  test('a node that joins while it is away waits, and is not abandoned', () =>
    liveAwake(TWO, async (twin) => {
      const lost = nodeOf(twin, 'gpu');
      twin.model.ec2.terminate(seats(twin)[0]!.id);
      twin.model.ec2.terminate(lost);
      await settle(twin);
      expect(twin.workflows.of('join-node').map(({ status }) => status)).not.toContain('FAILED');
      expectAwake(twin);
    }));
});

test('a sleep that follows a loss at once is not disturbed by it', () =>
  live(TWO, async (twin) => {
    await twin.run('bootstrap');
    twin.model.ec2.terminate(holder(twin));
    await seconds(36);
    const { status } = await twin.run('sleep');
    expect(status).toBe('SUCCEEDED');
    await settle(twin);
    expectAsleep(twin);
  }));

describe.each(['FindLostNode', 'MoveElasticIp', 'RecordNodeLoss', 'DeleteStaleNodes'])('stopped in %s', (state) => {
  test.each(['sleep', 'wake'])('a %s after it ends where it says', (workflow) =>
    liveAwake(TWO, async (twin) => {
      twin.workflows.beforeTask = (execution, name) => {
        if (execution.workflow === 'handle-node-loss' && name === state) setTimeout(() => execution.stop(), 0);
      };
      twin.model.ec2.terminate(holder(twin));
      const [execution] = await settle(twin);
      expect(execution).toMatchObject({ status: 'ABORTED' });
      const { status } = await twin.run(workflow);
      expect(status).toBe('SUCCEEDED');
      if (workflow === 'sleep') expectAsleep(twin);
      else expectAwake(twin);
    }),
  );
});
