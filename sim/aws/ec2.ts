import {
  AssociateAddressCommand,
  CreateTagsCommand,
  DescribeAddressesCommand,
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeInstanceTypeOfferingsCommand,
  DescribeInstanceTypesCommand,
  DescribeLaunchTemplateVersionsCommand,
  DescribeVolumesCommand,
  DisassociateAddressCommand,
  type _InstanceType,
  type InstanceStateName,
  StartInstancesCommand,
  StopInstancesCommand,
} from '@aws-sdk/client-ec2';
import { ec2Error } from './errors';
import { after, passes, Service, tagList } from './service';

/** How long instances take between states (s). Estimates from published EC2 measurements; DLAMI boots at the long end. */
export interface Ec2Times {
  launch: number;
  terminate: number;
  stop: number;
  start: number;
}

/** Where the twin's groups launch. */
const ZONES = ['a', 'b', 'c'];

export interface SimInstance {
  id: string;
  type: string;
  state: InstanceStateName;
  tags: Record<string, string>;
  /** When it was started last. */
  launchedAt: Date;
  /** Since when it runs (epoch ms). */
  runningAt?: number;
  /** Counts starts: what a node did before it was stopped is of an earlier boot. */
  boot: number;
  autoPublicIp: string;
  /** Its states, and since when (epoch ms). */
  changes: { at: number; state: InstanceStateName }[];
}

export interface SimVolume {
  id: string;
  state: 'available' | 'in-use';
  tags: Record<string, string>;
  /** True if it is blank, although the cluster was initialised: the seat's state is lost. */
  lost?: boolean;
  /** True once its seat is a member of etcd. */
  member?: boolean;
  /** Who has it: one of the cluster's instances, or somebody else's. */
  holder?: string | undefined;
  /** True while AWS does not let go of it, although its holder is gone: `detaching` for ever. */
  stuck?: boolean;
}

const PAGE = 50;

const ROOT_DEVICE = '/dev/sda1';
const rootDisk = (VolumeSize: number) => [{ DeviceName: ROOT_DEVICE, Ebs: { VolumeSize } }];

/** EC2: instances that come and go, one Elastic IP, volumes, launch templates and images. */
export class Ec2 extends Service {
  readonly prefix = 'ec2';
  readonly instances = new Map<string, SimInstance>();
  readonly volumes: SimVolume[] = [];
  readonly images = new Set<string>();
  /** Size of the root disk that an image needs, in GiB, where it is not Ubuntu's 8. */
  readonly imageGiB = new Map<string, number>();
  /** Image and root disk (GiB) of each launch template by ID. */
  readonly launchTemplates = new Map<string, { imageId: string; diskGiB: number }>();
  /** How old what DescribeInstances shows is (s): what has begun since is not shown, what has ended is shown as it was. */
  lag = 0;
  address: { id: string; publicIp: string; tags: Record<string, string>; instanceId: string | undefined } | undefined;
  /** Counts associations of the address: each has an ID of its own. */
  private associations = 0;
  /** Told of every change of an instance's state. */
  private readonly listeners: ((instance: SimInstance) => void)[] = [];
  private count = 0;

  constructor(private readonly times: Ec2Times) {
    super();
    this.on(DescribeInstancesCommand, ({ Filters, NextToken }) => {
      const found = this.shown().filter(({ id, state, tags }) =>
        passes(Filters, tags, { 'instance-state-name': state, 'instance-id': id }),
      );
      const from = Number(NextToken ?? 0);
      return {
        Reservations: found.slice(from, from + PAGE).map((instance) => ({ Instances: [this.describe(instance)] })),
        ...(from + PAGE < found.length && { NextToken: String(from + PAGE) }),
      };
    });
    this.on(DescribeInstanceTypesCommand, ({ Filters }) => ({
      InstanceTypes: (Filters?.find(({ Name }) => Name === 'instance-type')?.Values ?? []).map((InstanceType) => ({
        InstanceType,
        VCpuInfo: { DefaultVCpus: vcpusOf(InstanceType) },
      })),
    }));
    this.on(DescribeInstanceTypeOfferingsCommand, ({ Filters }) => ({
      // Every zone has every type.
      InstanceTypeOfferings: (Filters?.find(({ Name }) => Name === 'instance-type')?.Values ?? []).flatMap((type) =>
        ZONES.map((Location) => ({ InstanceType: type as _InstanceType, Location })),
      ),
    }));
    this.on(StopInstancesCommand, ({ InstanceIds }) => {
      for (const id of InstanceIds ?? []) this.stop(this.get(id));
      return {};
    });
    this.on(StartInstancesCommand, ({ InstanceIds }) => {
      for (const id of InstanceIds ?? []) this.start(this.get(id));
      return {};
    });
    this.on(CreateTagsCommand, ({ Resources, Tags }) => {
      for (const id of Resources ?? []) {
        for (const { Key = '', Value = '' } of Tags ?? []) this.get(id).tags[Key] = Value;
      }
      return {};
    });
    this.on(DescribeAddressesCommand, ({ AllocationIds, Filters }) => {
      if (AllocationIds && AllocationIds[0] !== this.address?.id) {
        throw ec2Error('InvalidAllocationID.NotFound', `The allocation ID '${AllocationIds.join()}' does not exist`);
      }
      return { Addresses: this.address && passes(Filters, this.address.tags) ? [this.describeAddress()] : [] };
    });
    this.on(DisassociateAddressCommand, ({ AssociationId = '' }) => {
      if (!this.address || AssociationId !== this.describeAddress().AssociationId) {
        throw ec2Error('InvalidAssociationID.NotFound', `The association ID '${AssociationId}' does not exist`);
      }
      this.address.instanceId = undefined;
      return {};
    });
    this.on(AssociateAddressCommand, ({ AllocationId, InstanceId = '', AllowReassociation = true }) => {
      if (!this.address || AllocationId !== this.address.id) {
        throw ec2Error('InvalidAllocationID.NotFound', `The allocation ID '${AllocationId ?? ''}' does not exist`);
      }
      if (this.get(InstanceId).state !== 'running') {
        throw ec2Error('InvalidInstanceID', `The instance '${InstanceId}' is not in a valid state for this operation.`);
      }
      if (!AllowReassociation && this.address.instanceId !== undefined) {
        throw ec2Error('Resource.AlreadyAssociated', `resource ${this.address.id} is already associated`);
      }
      this.address.instanceId = InstanceId;
      this.associations += 1;
      return { AssociationId: this.describeAddress().AssociationId };
    });
    this.on(DescribeVolumesCommand, ({ Filters }) => ({
      Volumes: this.volumes
        .filter(({ tags }) => passes(Filters, tags))
        .map(({ id, state, tags }) => ({ VolumeId: id, State: state, Tags: tagList(tags) })),
    }));
    this.on(DescribeLaunchTemplateVersionsCommand, ({ LaunchTemplateId = '' }) => {
      const template = this.launchTemplates.get(LaunchTemplateId);
      if (!template) throw ec2Error('InvalidLaunchTemplateId.NotFound', `${LaunchTemplateId} does not exist`);
      const LaunchTemplateData = { ImageId: template.imageId, BlockDeviceMappings: rootDisk(template.diskGiB) };
      return { LaunchTemplateVersions: [{ LaunchTemplateId, VersionNumber: 1, LaunchTemplateData }] };
    });
    this.on(DescribeImagesCommand, ({ ImageIds }) => {
      const [missing] = (ImageIds ?? []).filter((id) => !this.images.has(id));
      if (missing) throw ec2Error('InvalidAMIID.NotFound', `The image id '[${missing}]' does not exist`);
      const describe = (ImageId: string) => ({
        ImageId,
        RootDeviceName: ROOT_DEVICE,
        BlockDeviceMappings: rootDisk(this.imageGiB.get(ImageId) ?? 8),
      });
      return { Images: (ImageIds ?? []).map(describe) };
    });
  }

  onChange(listener: (instance: SimInstance) => void): void {
    this.listeners.push(listener);
  }

  /** Launches an instance; it is pending for a while, then runs. */
  launch(tags: Record<string, string>, type = 't3.medium'): SimInstance {
    this.count += 1;
    const id = `i-${String(this.count).padStart(17, '0')}`;
    const autoPublicIp = `198.51.100.${String(this.count)}`;
    const began = { state: 'pending', launchedAt: new Date(), boot: 1 } as const;
    const instance: SimInstance = { ...began, id, type, tags, autoPublicIp, changes: [] };
    this.instances.set(id, instance);
    this.change(instance, 'pending', 'running', this.times.launch);
    return instance;
  }

  terminate(id: string): void {
    const instance = this.get(id);
    if (instance.state === 'terminated' || instance.state === 'shutting-down') return;
    if (this.address?.instanceId === id) this.address.instanceId = undefined;
    this.change(instance, 'shutting-down', 'terminated', this.times.terminate);
  }

  /** The instances in one of these states. */
  in(...states: InstanceStateName[]): SimInstance[] {
    return [...this.instances.values()].filter(({ state }) => states.includes(state));
  }

  get(id: string): SimInstance {
    const instance = this.instances.get(id);
    if (!instance) throw ec2Error('InvalidInstanceID.NotFound', `The instance ID '${id}' does not exist`);
    return instance;
  }

  /** AttachVolume, as a node calls it until it works. False while somebody else has the volume. */
  attach(volume: SimVolume, id: string): boolean {
    const { holder = id, stuck = false } = volume;
    const held = holder !== id && (stuck || this.instances.get(holder)?.state !== 'terminated');
    if (!held) Object.assign(volume, { holder: id, state: 'in-use' });
    return !held;
  }

  /** The instances as DescribeInstances shows them. */
  private shown(): SimInstance[] {
    const all = [...this.instances.values()];
    if (this.lag === 0) return all;
    const then = Date.now() - this.lag * 1000;
    return all.flatMap((instance) => {
      const { state } = instance.changes.findLast(({ at }) => at <= then) ?? {};
      return state === undefined ? [] : [{ ...instance, state }];
    });
  }

  private stop(instance: SimInstance): void {
    if (instance.state === 'running') this.change(instance, 'stopping', 'stopped', this.times.stop);
  }

  private start(instance: SimInstance): void {
    if (instance.state === 'pending' || instance.state === 'running') return;
    if (instance.state !== 'stopped') {
      throw ec2Error(
        'IncorrectInstanceState',
        `The instance '${instance.id}' is not in a state from which it can start`,
      );
    }
    instance.boot += 1;
    instance.launchedAt = new Date();
    this.change(instance, 'pending', 'running', this.times.start);
  }

  /** Into a passing state now, and into the lasting one after a time (s), unless something else came between. */
  private change(instance: SimInstance, passing: InstanceStateName, lasting: InstanceStateName, seconds: number): void {
    instance.state = passing;
    this.tell(instance);
    after(seconds * 1000, () => {
      if (instance.state !== passing) return;
      instance.state = lasting;
      if (lasting === 'running') instance.runningAt = Date.now();
      if (lasting === 'terminated') this.detach(instance.id);
      this.tell(instance);
    });
  }

  private detach(id: string): void {
    for (const volume of this.volumes) {
      if (volume.holder === id && !volume.stuck) Object.assign(volume, { holder: undefined, state: 'available' });
    }
  }

  private tell(instance: SimInstance): void {
    instance.changes.push({ at: Date.now(), state: instance.state });
    for (const listener of this.listeners) listener(instance);
  }

  private describe({ id, type, state, tags, launchedAt, autoPublicIp }: SimInstance) {
    const publicIp = this.address?.instanceId === id ? this.address.publicIp : autoPublicIp;
    return {
      InstanceId: id,
      InstanceType: type,
      State: { Name: state },
      Tags: tagList(tags),
      LaunchTime: launchedAt,
      ...(state === 'running' && { PublicIpAddress: publicIp }),
    };
  }

  private describeAddress() {
    const { id = '', publicIp = '', tags = {}, instanceId } = this.address ?? {};
    const association = { InstanceId: instanceId, AssociationId: `eipassoc-${String(this.associations)}` };
    return { AllocationId: id, PublicIp: publicIp, Tags: tagList(tags), ...(instanceId ? association : {}) };
  }
}

/** By the size's name, which tells it for nearly every type that exists: large 2, xlarge 4, 2xlarge 8, … */
function vcpusOf(instanceType: string): number {
  const [, times] = /\.(\d*)xlarge$/.exec(instanceType) ?? [];
  return times === undefined ? 2 : 4 * Number(times || 1);
}
