import {
  CreateVolumeCommand,
  DeleteVolumeCommand,
  DescribeVolumesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { DescribeTargetGroupsCommand, DescribeTargetHealthCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { TAG } from '../../core/config/names';
import { type Cluster, NAME, names, until } from './cluster';

/** What comes back by itself, and what its own snapshot brings back. */
export function losses(cluster: Cluster): void {
  describe('a cluster that loses what it is made of', () => {
    it('brings back a control-plane seat by itself, and nodes join it', async () => {
      const earlier = await handled();
      const dead = await nodeOf('seat');
      await cluster.aws.ec2.send(new TerminateInstancesCommand({ InstanceIds: [dead] }));
      await until('another seat is ready', async () => ![undefined, dead].includes(await readyNodeOf('seat')));
      await until('the API’s target is healthy', async () => (await targetStates()).includes('healthy'));
      await until('the loss is on record', async () => (await eventOf(dead))?.role === 'seat');

      const node = await nodeOf('pool');
      await cluster.aws.ec2.send(new TerminateInstancesCommand({ InstanceIds: [node] }));
      await until('another node is ready', async () => ![undefined, node].includes(await readyNodeOf('pool')));
      expect(await eventOf(node)).toMatchObject({ what: 'terminated', pool: 'gpu' });
      await cluster.recovers();
      const now = (await handled()).filter(({ arn }) => earlier.every((one) => one.arn !== arn));
      expect(now.length).toBeGreaterThanOrEqual(2);
      expect(now.filter(({ status }) => status !== 'SUCCEEDED')).toEqual([]);
    });

    it('hears of a Spot warning before the node goes', async () => {
      const node = await nodeOf('pool');
      await cluster.fault({ interrupt: { group: names.poolGroup('gpu') } });
      await until('the warning is on record', async () => (await eventOf(node))?.what === 'interrupted');
      await until('another node is ready', async () => ![undefined, node].includes(await readyNodeOf('pool')));
      await cluster.recovers();
    });

    it('is rebuilt from its own snapshot when the state volume is lost', async () => {
      const saved = await cluster.execute('snapshot-etcd', {});
      expect(saved).toMatchObject({
        status: 'SUCCEEDED',
        output: { snapshot: { revision: expect.any(Number) as number } },
      });
      const { key } = (saved.output as { snapshot: { key: string } }).snapshot;
      expect((await item('cluster'))?.snapshot).toMatchObject({ key });
      expect(await cluster.execute('restore-etcd', {})).toMatchObject({
        status: 'SUCCEEDED',
        output: { restored: { key, dryRun: true, replaced: 'nothing' } },
      });
      const real = { key, dryRun: false, confirm: NAME };
      expect(await cluster.execute('restore-etcd', real)).toMatchObject({ status: 'FAILED', error: 'RestoreRefused' });

      const before = (await handled()).length;
      expect((await cluster.execute('sleep')).status).toBe('SUCCEEDED');
      expect(await handled()).toHaveLength(before);
      await blankStateVolume();
      expect((await cluster.execute('wake')).status).toBe('FAILED');
      expect(await cluster.execute('restore-etcd', real)).toMatchObject({
        status: 'SUCCEEDED',
        output: { restored: { key, dryRun: false, replaced: 'the blank state volume of seat 0' } },
      });
      expect((await cluster.execute('wake')).status).toBe('SUCCEEDED');
      await cluster.recovers();
    });
  });

  /** The losses that were handled, or are being. */
  function handled() {
    return cluster.executions('handle-node-loss');
  }

  async function readyNodeOf(role: string): Promise<string | undefined> {
    const { instances } = await cluster.snapshot();
    return instances.find((one) => one.role === role && one.state === 'running' && one.phase === 'ready')?.id;
  }

  async function nodeOf(role: string): Promise<string> {
    const found = await readyNodeOf(role);
    if (found === undefined) throw new Error(`no ${role} is ready`);
    return found;
  }

  async function item(id: string): Promise<Record<string, unknown> | undefined> {
    const { Item } = await cluster.aws.dynamo.send(
      new GetCommand({ TableName: names.table, Key: { id }, ConsistentRead: true }),
    );
    return Item;
  }

  function eventOf(instance: string) {
    return item(`event#node#${instance}`);
  }

  async function targetStates(): Promise<string[]> {
    const { loadBalancing } = cluster.aws;
    const named = new DescribeTargetGroupsCommand({ Names: [names.apiLoadBalancer] });
    const { TargetGroups = [] } = await loadBalancing.send(named);
    const { TargetGroupArn } = TargetGroups[0] ?? {};
    const { TargetHealthDescriptions = [] } = await loadBalancing.send(
      new DescribeTargetHealthCommand({ TargetGroupArn }),
    );
    return TargetHealthDescriptions.map(({ TargetHealth }) => TargetHealth?.State ?? '');
  }

  /** Another volume in the place of the seat's: same tags, nothing on it. */
  async function blankStateVolume(): Promise<void> {
    const { ec2 } = cluster.aws;
    const Filters = [{ Name: `tag:${TAG.seat}`, Values: ['0'] }];
    const { Volumes = [] } = await ec2.send(new DescribeVolumesCommand({ Filters }));
    const { VolumeId, AvailabilityZone, Size, Tags = [] } = Volumes[0] ?? {};
    await ec2.send(new DeleteVolumeCommand({ VolumeId }));
    const kept = Tags.filter(({ Key = '' }) => !Key.startsWith('aws:') && Key !== 'drowse:initialised');
    const TagSpecifications = [{ ResourceType: 'volume' as const, Tags: kept }];
    await ec2.send(new CreateVolumeCommand({ AvailabilityZone, Size, TagSpecifications }));
  }
}
