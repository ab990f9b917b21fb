import { parseNodeData } from '../../lib/node';
import { labelsOfPool } from '../../lib/node';
import { parseConfig } from '../../lib/config/load';
import { EVERYTHING } from '../support/configs';
import { type CfnResource, resourcesOf, synthesize } from '../support/stacks';

const { cluster } = synthesize(EVERYTHING).templates;
const groups = new Map(byName('AWS::AutoScaling::AutoScalingGroup', 'AutoScalingGroupName'));
const launchTemplates = new Map(byName('AWS::EC2::LaunchTemplate', 'LaunchTemplateName'));

function byName(type: string, property: string): [string, CfnResource][] {
  return resourcesOf(cluster, type).map(([, resource]) => [resource.Properties?.[property] as string, resource]);
}

function tagsOf(group: string): Record<string, string> {
  const tags = groups.get(group)?.Properties?.Tags as { Key: string; Value: string }[];
  return Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]));
}

function launchData(name: string): Record<string, unknown> {
  return launchTemplates.get(name)?.Properties?.LaunchTemplateData as Record<string, unknown>;
}

/** Node data in a launch template's user data; parts that only AWS knows are left out. */
function nodeDataOf(name: string): unknown {
  const { 'Fn::Base64': userData } = launchData(name).UserData as { 'Fn::Base64': string };
  return JSON.parse(/^\{.*\}$/m.exec(userData)?.[0] ?? '');
}

describe('seats', () => {
  test('each has a group of at most one, in its own zone', () => {
    const seats = [0, 1, 2].map((seat) => groups.get(`big-seat-${String(seat)}`)?.Properties);
    for (const seat of seats) expect(seat).toMatchObject({ MinSize: '0', MaxSize: '1' });
    expect(new Set(seats.map((seat) => JSON.stringify(seat?.VPCZoneIdentifier))).size).toBe(3);
  });

  test('each knows its fixed address, and the addresses of all', () => {
    expect(nodeDataOf('big-seat-1')).toMatchObject({
      role: 'seat',
      seat: { index: 1, fixedIp: '10.0.32.16' },
      endpoint: { name: 'api.big.drowse.internal', seats: ['10.0.0.16', '10.0.32.16', '10.0.64.16'] },
    });
    expect(() => parseNodeData(nodeDataOf('big-seat-1') as never)).not.toThrow();
  });

  test('the fixed addresses lie in blocks that AWS does not hand out, and the load balancer’s targets are they', () => {
    const reserved = resourcesOf(synthesize(EVERYTHING).templates.foundation, 'Custom::SubnetCidrReservation');
    expect(reserved.map(([, { Properties }]) => Properties)).toEqual([
      expect.objectContaining({ Cidr: '10.0.0.16/28' }),
      expect.objectContaining({ Cidr: '10.0.32.16/28' }),
      expect.objectContaining({ Cidr: '10.0.64.16/28' }),
    ]);
    const [[, target] = []] = resourcesOf(cluster, 'AWS::ElasticLoadBalancingV2::TargetGroup');
    expect(target?.Properties?.Targets).toEqual(
      ['10.0.0.16', '10.0.32.16', '10.0.64.16'].map((Id) => ({ Id, Port: 6443 })),
    );
  });

  test('state volumes are encrypted, in the seat’s zone, tagged with cluster and seat', () => {
    const volumes = resourcesOf(synthesize(EVERYTHING).templates.foundation, 'AWS::EC2::Volume');
    volumes.forEach(([, { Properties }], seat) => {
      expect(Properties).toMatchObject({
        VolumeType: 'gp3',
        Encrypted: true,
        AvailabilityZone: `us-east-1${'abc'[seat] ?? ''}`,
        Tags: expect.arrayContaining([
          { Key: 'drowse:cluster', Value: 'big' },
          { Key: 'drowse:seat', Value: String(seat) },
        ]) as unknown,
      });
    });
  });

  test('a launch hook holds a seat only where it carries the Elastic IP', () => {
    expect(groups.get('big-seat-0')?.Properties).not.toHaveProperty('LifecycleHookSpecificationList');
    const yaml = 'controlPlane: { ingress: true }\npools: [{ name: web, instanceTypes: [t3.large] }]';
    const [[, seat] = []] = resourcesOf(
      synthesize(yaml).templates.cluster,
      'AWS::AutoScaling::AutoScalingGroup',
    ).filter(([, { Properties }]) => Properties?.AutoScalingGroupName === 'drowse-seat-0');
    expect(seat?.Properties?.LifecycleHookSpecificationList).toEqual([
      expect.objectContaining({ NotificationMetadata: '{"role":"seat","ingress":true}' }),
    ]);
  });
});

describe('pools', () => {
  test('the launch hook is part of the group, so that it holds the first instance too', () => {
    expect(groups.get('big-pool-gpu')?.Properties?.LifecycleHookSpecificationList).toEqual([
      {
        LifecycleHookName: 'launch',
        LifecycleTransition: 'autoscaling:EC2_INSTANCE_LAUNCHING',
        HeartbeatTimeout: 1800,
        DefaultResult: 'ABANDON',
        NotificationMetadata: '{"role":"pool","pool":"gpu","ingress":false}',
      },
    ]);
  });

  test.each([
    ['general', 100, false, ['t3.large', 't3a.large']],
    ['executor', 0, true, ['c5.2xlarge', 'c5a.2xlarge']],
    ['gpu', 0, true, ['g4dn.xlarge', 'g5.xlarge']],
  ])('%s buys in its market, in its order', (pool, onDemand, rebalance, types) => {
    expect(groups.get(`big-pool-${pool}`)?.Properties).toMatchObject({
      CapacityRebalance: rebalance,
      MixedInstancesPolicy: {
        LaunchTemplate: { Overrides: types.map((InstanceType) => ({ InstanceType })) },
        InstancesDistribution: {
          OnDemandBaseCapacity: 0,
          OnDemandPercentageAboveBaseCapacity: onDemand,
          OnDemandAllocationStrategy: 'prioritized',
          SpotAllocationStrategy: 'capacity-optimized-prioritized',
        },
      },
    });
  });

  test('tags tell workflows the configured sizes, the market and what sleep does', () => {
    expect(tagsOf('big-pool-general')).toMatchObject({
      'drowse:min': '1',
      'drowse:desired': '2',
      'drowse:max': '5',
      'drowse:ingress': 'true',
      'drowse:market': 'on-demand',
    });
    expect(tagsOf('big-pool-executor')).toMatchObject({ 'drowse:market': 'spot-with-fallback' });
    expect(tagsOf('big-pool-batch')).toMatchObject({ 'drowse:sleep': 'stop' });
    expect(tagsOf('big-pool-gpu')).toMatchObject({ 'drowse:gpu': 'true' });
    expect(tagsOf('big-pool-batch')).not.toHaveProperty('drowse:gpu');
  });

  test('tags describe a node to Cluster Autoscaler, just as its kubelet registers it', () => {
    const prefix = 'k8s.io/cluster-autoscaler/node-template';
    expect(tagsOf('big-pool-executor')).toMatchObject({
      'k8s.io/cluster-autoscaler/enabled': 'true',
      'k8s.io/cluster-autoscaler/big': 'owned',
      [`${prefix}/label/workload-type`]: 'executor',
      [`${prefix}/taint/workload-type`]: 'executor:NoSchedule',
      [`${prefix}/resources/ephemeral-storage`]: '50Gi',
    });
    expect(tagsOf('big-pool-gpu')).toMatchObject({ [`${prefix}/resources/nvidia.com/gpu`]: '1' });
    for (const pool of parseConfig(EVERYTHING).pools) {
      const labels = Object.entries(tagsOf(`big-pool-${pool.name}`)).flatMap(([key, value]) =>
        key.startsWith(`${prefix}/label/`) ? [[key.slice(`${prefix}/label/`.length), value]] : [],
      );
      expect(Object.fromEntries(labels)).toEqual(labelsOfPool(pool));
      expect(nodeDataOf(`big-pool-${pool.name}`)).toMatchObject({ pool: { labels: labelsOfPool(pool) } });
    }
  });

  test('images come from public parameters, by kind of pool, unless the configuration names one', () => {
    const image = (name: string) => JSON.stringify(launchData(name).ImageId);
    expect(image('big-pool-gpu')).toMatch(/awsservicedeeplearning.*gpuubuntu2404/);
    expect(image('big-pool-general')).toMatch(/awsservicecanonicalubuntuserver2404/);
    expect(image('big-pool-batch')).toBe('"ami-0123456789abcdef0"');
  });
});

test.each([...launchTemplates.keys()])(
  '%s: metadata is for the node alone, disks are encrypted, tags are everywhere',
  (name) => {
    const data = launchData(name);
    expect(data).toMatchObject({
      MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 1, HttpEndpoint: 'enabled' },
      BlockDeviceMappings: [{ DeviceName: '/dev/sda1', Ebs: { Encrypted: true, VolumeType: 'gp3' } }],
    });
    const tags = data.TagSpecifications as { ResourceType: string; Tags: { Key: string; Value: string }[] }[];
    expect(tags.map(({ ResourceType }) => ResourceType).sort()).toEqual(['instance', 'network-interface', 'volume']);
    for (const { ResourceType, Tags } of tags) {
      expect(Tags).toContainEqual({ Key: 'drowse:cluster', Value: 'big' });
      // A root disk that named its seat would pass for a state volume.
      expect(Tags.some(({ Key }) => Key === 'drowse:seat')).toBe(name.includes('seat') && ResourceType !== 'volume');
    }
    // The metadata service would refuse instances whose tags it shows with a slash in their key.
    expect(data.MetadataOptions).not.toHaveProperty('InstanceMetadataTags');
  },
);

test('no instance has a key pair: people come in through Session Manager', () => {
  for (const name of launchTemplates.keys()) expect(launchData(name)).not.toHaveProperty('KeyName');
});
