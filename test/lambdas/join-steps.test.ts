import { TAG } from '../../core/config/names';
import type { Launch } from '../../core/record/contracts';
import type { Twin } from '../../sim/run';
import { seconds } from '../../sim/virtual-time';
import { arn, begin, kinds, live, liveAwake, makeStep, THREE_POOLS, until } from './support';

const GROUP = 'drowse-pool-gpu';

/** A pool node that its hook holds, and the state of the join-node that would let it in; no join-node runs. */
async function launch({ model }: Twin, metadata: Partial<Launch['metadata']> = {}): Promise<Launch> {
  model.autoScaling.onLaunch = () => undefined;
  const group = model.autoScaling.get(GROUP);
  const known = new Set(group.lifecycle.keys());
  model.autoScaling.resize(group, group.min, group.desired + 1, 10);
  await seconds(4);
  const instanceId = [...group.lifecycle.keys()].find((id) => !known.has(id))!;
  return {
    execution: arn('join-node'),
    instanceId,
    group: GROUP,
    hook: 'launch',
    token: `token-${instanceId}`,
    metadata: { role: 'pool', pool: 'gpu', ingress: true, ...metadata },
  };
}

describe('associate-elastic-ip', () => {
  test('waits until the instance runs, then gives it the address, once', () =>
    live('', async (twin) => {
      const joining = await launch(twin);
      const step = makeStep(twin.model, 'associate-elastic-ip');
      const { result, errors } = await until(() => step(joining));
      expect(kinds(errors)).toEqual(['InstanceNotRunning']);
      expect(result).toEqual({ holder: joining.instanceId });
      expect(twin.model.ec2.address!.instanceId).toBe(joining.instanceId);
      await step(joining);
      expect(twin.model.calls.of('AssociateAddress')).toHaveLength(1);
    }));

  test('leaves it with an ingress node that serves', () =>
    liveAwake('', async (twin) => {
      const holder = twin.model.ec2.address!.instanceId;
      const joining = await launch(twin);
      await seconds(30);
      await expect(makeStep(twin.model, 'associate-elastic-ip')(joining)).resolves.toEqual({ holder });
      expect(twin.model.calls.of('AssociateAddress')).toEqual([]);
    }));

  test('takes it from one that does not', () =>
    liveAwake('', async (twin) => {
      twin.model.ec2.get(twin.model.ec2.address!.instanceId!).tags[TAG.phase] = 'failed:gpu-not-visible';
      const joining = await launch(twin);
      await seconds(30);
      await makeStep(twin.model, 'associate-elastic-ip')(joining);
      expect(twin.model.ec2.address!.instanceId).toBe(joining.instanceId);
    }));

  test('gives up an instance that has ended, not one that is not shown yet', () =>
    live('', async (twin) => {
      const joining = await launch(twin);
      twin.model.ec2.terminate(joining.instanceId);
      const step = makeStep(twin.model, 'associate-elastic-ip');
      await expect(step(joining)).rejects.toMatchObject({ name: 'NodeFailed' });
      twin.model.ec2.instances.delete(joining.instanceId);
      await expect(step(joining)).rejects.toMatchObject({ name: 'InstanceNotRunning' });
    }));
});

describe('mint-join-token', () => {
  test("has a seat write the pool's token, once for each instance", () =>
    liveAwake('', async (twin) => {
      const joining = await launch(twin);
      const step = makeStep(twin.model, 'mint-join-token');
      const { result, errors } = await until(() => step(joining));
      expect(kinds(errors)).toEqual(['CommandInProgress']);
      expect(result).toMatchObject({
        parameters: [`/drowse/drowse/join/gpu/${joining.instanceId}`],
        round: 1,
      });
      await step(joining);
      expect(twin.model.calls.of('SendCommand')).toHaveLength(1);
      expect(twin.model.calls.of('SendCommand')[0]).toMatchObject({
        input: {
          DocumentName: 'drowse-mint-join-token',
          Parameters: { Pool: ['gpu'], InstanceIds: [joining.instanceId] },
        },
      });
      await until(() => step({ ...joining, instanceId: 'i-of-another-launch' }));
      expect(twin.model.calls.of('SendCommand')).toHaveLength(2);
    }));

  test('has another one written where the node could not use the last, once as well', () =>
    liveAwake('', async (twin) => {
      const joining = { ...(await launch(twin)), minted: { at: new Date().toISOString(), round: 1 } };
      const step = makeStep(twin.model, 'mint-join-token');
      await until(() => step({ ...joining, minted: undefined }));
      expect((await until(() => step(joining))).result).toMatchObject({ round: 2 });
      await step(joining);
      expect(twin.model.calls.of('SendCommand')).toHaveLength(2);
    }));

  test('waits for the API', () =>
    live('', async (twin) => {
      const joining = await launch(twin);
      await expect(makeStep(twin.model, 'mint-join-token')(joining)).rejects.toMatchObject({ name: 'ApiNotReady' });
    }));

  test('refuses an instance of no pool', () =>
    live('', async (twin) => {
      const seat = { ...(await launch(twin)), metadata: { role: 'seat', ingress: true } };
      await expect(makeStep(twin.model, 'mint-join-token')(seat)).rejects.toMatchObject({ name: 'InvalidInput' });
    }));
});

describe('mint-join-tokens', () => {
  test('mints for the pools whose nodes come back without a launch, all at once', () =>
    liveAwake(THREE_POOLS, async (twin) => {
      const leased = await begin(twin, 'wake');
      const step = makeStep(twin.model, 'mint-join-tokens');
      const { result, errors } = await until(() => step(leased));
      expect(result).toEqual({ pools: ['batch'] });
      const ids = [...twin.model.autoScaling.get('drowse-pool-batch').lifecycle.keys()].sort().join(',');
      expect(twin.model.calls.of('SendCommand')[0]?.input).toMatchObject({ Parameters: { InstanceIds: [ids] } });
      expect(kinds(errors)).toEqual(['CommandInProgress']);
      await step(leased);
      expect(twin.model.calls.of('SendCommand')).toHaveLength(1);
    }));

  test('has nothing to do for pools that launch', () =>
    liveAwake('', async (twin) => {
      const leased = await begin(twin, 'wake');
      await expect(makeStep(twin.model, 'mint-join-tokens')(leased)).resolves.toEqual({ pools: [] });
    }));
});

describe('wait-for-node', () => {
  test('waits for the node to be ready', () =>
    liveAwake('', async (twin) => {
      const joining = await launch(twin);
      await until(() => makeStep(twin.model, 'mint-join-token')(joining));
      const step = makeStep(twin.model, 'wait-for-node');
      const { errors } = await until(() => step(joining));
      expect(kinds(errors)).toEqual(['NodeNotReady']);
      await expect(step(joining)).resolves.toBeUndefined();
    }));

  test('asks for another token for a node that does not take the one it has, a minute after it could', () =>
    liveAwake('', async (twin) => {
      const joining = await launch(twin);
      const step = makeStep(twin.model, 'wait-for-node');
      const { tags } = twin.model.ec2.get(joining.instanceId);
      const ago = (ms: number) => new Date(Date.now() - ms).toISOString();
      const look = (waitsSince: number, mintedBefore: number, round = 1) => {
        tags[TAG.phaseAt] = ago(waitsSince);
        return step({ ...joining, minted: { at: ago(mintedBefore), round } });
      };
      tags[TAG.phase] = 'waiting-for-token';
      await expect(look(61_000, 61_000)).rejects.toMatchObject({ name: 'TokenWanted' });
      // It came to wait, or its token came to be, only just now.
      await expect(look(59_000, 1_800_000)).rejects.toMatchObject({ name: 'NodeNotReady' });
      await expect(look(1_800_000, 59_000)).rejects.toMatchObject({ name: 'NodeNotReady' });
      await expect(look(61_000, 61_000, 5)).rejects.toMatchObject({ name: 'NodeNotReady' });
      tags[TAG.phase] = 'joining';
      await expect(look(61_000, 61_000)).rejects.toMatchObject({ name: 'NodeNotReady' });
    }));

  test('says why a node gave up, and notices one that is gone', () =>
    liveAwake('', async (twin) => {
      const joining = await launch(twin);
      const step = makeStep(twin.model, 'wait-for-node');
      const { instanceId } = joining;
      twin.model.ec2.get(instanceId).tags[TAG.phase] = 'failed:gpu-not-visible';
      await expect(step(joining)).rejects.toMatchObject({
        name: 'NodeFailed',
        message: `${instanceId}: failed:gpu-not-visible`,
      });
      twin.model.ec2.terminate(instanceId);
      await expect(step(joining)).rejects.toThrow(`${instanceId} is shutting-down`);
    }));
});

describe('complete-launch', () => {
  test('lets the hook go, and does not mind that it is gone', () =>
    live('', async (twin) => {
      const joining = await launch(twin);
      const step = makeStep(twin.model, 'complete-launch');
      await step(joining);
      expect(twin.model.autoScaling.get(GROUP).lifecycle.get(joining.instanceId)).toBe('InService');
      await expect(step(joining)).resolves.toBeUndefined();
    }));

  test('does mind everything else', () =>
    live('', async (twin) => {
      const joining = { ...(await launch(twin)), group: 'no-such-group' };
      await expect(makeStep(twin.model, 'complete-launch')(joining)).rejects.toMatchObject({ name: 'ValidationError' });
    }));
});

describe('abandon-launch', () => {
  test('keeps why, and has the group try another', () =>
    live('', async (twin) => {
      const joining = await launch(twin);
      const { instanceId } = joining;
      twin.model.ec2.get(instanceId).tags[TAG.phase] = 'failed:gpu-not-visible';
      const failure = {
        Error: 'NodeFailed',
        Cause: JSON.stringify({ errorType: 'NodeFailed', errorMessage: 'failed:gpu-not-visible', trace: [] }),
      };
      const step = makeStep(twin.model, 'abandon-launch');
      const failed = { Error: 'NodeFailed', Cause: `${instanceId}: failed:gpu-not-visible` };
      await expect(step({ ...joining, failure })).resolves.toEqual(failed);
      expect(twin.model.dynamo.items.get(`launch#${instanceId}`)).toMatchObject({
        pool: 'gpu',
        group: GROUP,
        phase: 'failed:gpu-not-visible',
        error: 'NodeFailed',
        cause: 'failed:gpu-not-visible',
        execution: joining.execution,
        expiresAt: expect.any(Number) as number,
      });
      await expect(step({ ...joining, failure })).resolves.toEqual(failed);
      await seconds(60);
      expect(twin.model.ec2.get(instanceId).state).toBe('terminated');
      expect([...twin.model.autoScaling.get(GROUP).lifecycle.keys()]).not.toContain(instanceId);
      expect(twin.model.autoScaling.get(GROUP).lifecycle.size).toBe(1);
    }));
});
