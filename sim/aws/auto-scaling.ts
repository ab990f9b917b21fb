import {
  type Activity,
  CompleteLifecycleActionCommand,
  DescribeAutoScalingGroupsCommand,
  DescribeScalingActivitiesCommand,
  EnterStandbyCommand,
  ExitStandbyCommand,
  ResumeProcessesCommand,
  SuspendProcessesCommand,
  TerminateInstanceInAutoScalingGroupCommand,
  UpdateAutoScalingGroupCommand,
} from '@aws-sdk/client-auto-scaling';
import { TAG } from '../../core/config/names';
import type { Ec2, SimInstance } from './ec2';
import { validationError } from './errors';
import { after, passes, Service, tagList } from './service';

/** How long Auto Scaling takes to do something about a size or a lost instance (s). */
export interface AutoScalingTimes {
  react: number;
  replace: number;
  standby: number;
  /** Before it tries again a launch for which there was no capacity. */
  retryLaunch: number;
}

export interface GroupSpec {
  name: string;
  /** Tags of the group; it gives all of them to its instances. */
  tags: Record<string, string>;
  /** Launch lifecycle hook, if there is one. */
  hook?: { name: string; metadata: object; heartbeatSeconds: number };
  launchTemplateId: string;
  /** In order of preference. */
  instanceTypes: readonly string[];
  zones: readonly string[];
}

export interface SimGroup extends GroupSpec {
  min: number;
  desired: number;
  max: number;
  /** Lifecycle state by instance. */
  lifecycle: Map<string, string>;
  /** Why launches fail at the moment, in AWS's words; undefined while there is capacity. */
  noCapacity: string | undefined;
  /** The same of spot alone: it does not fail what is bought on demand. */
  noSpotCapacity: string | undefined;
  /** AWS does nothing about the group's size, and says nothing. */
  stalled: boolean;
  /** Share of what is launched on demand (%). */
  onDemandPercent: number;
  /** Processes that are suspended. */
  suspended: Set<string>;
  activities: Activity[];
}

/** Detail of the event "EC2 Instance-launch Lifecycle Action". */
export interface LaunchDetail {
  LifecycleActionToken: string;
  AutoScalingGroupName: string;
  LifecycleHookName: string;
  EC2InstanceId: string;
  LifecycleTransition: 'autoscaling:EC2_INSTANCE_LAUNCHING';
  NotificationMetadata: string;
}

/** Detail of the event "EC2 Instance Terminate Successful", as far as anything here reads it. */
export interface TerminationDetail {
  AutoScalingGroupName: string;
  EC2InstanceId: string;
  Cause: string;
}

/** Instances that one call may move into or out of standby. */
const STANDBY_AT_ONCE = 19;
const COUNTED = ['Pending', 'Pending:Wait', 'InService'];
/** Why a group ends an instance, in AWS's words. */
const BECAUSE = {
  size: 'a difference between desired and actual capacity, shrinking the capacity from 1 to 0.',
  request: 'a user request.',
  health: 'an EC2 health check indicating it has been terminated or stopped.',
};

/** Auto Scaling: groups that keep their size, with launch hooks, standby, and launches that fail. */
export class AutoScaling extends Service {
  readonly prefix = 'autoscaling';
  readonly groups = new Map<string, SimGroup>();
  /** Groups in one answer. */
  pageSize = 50;
  /** Called with the event of a launch hook. */
  onLaunch: (detail: LaunchDetail) => void = () => undefined;
  /** Called when an instance of a group serves. */
  onServing: (id: string) => void = () => undefined;
  /** Called when an instance of a group has ended, whoever ended it. */
  onTerminate: (detail: TerminationDetail) => void = () => undefined;
  /** Why the groups themselves end instances; others were ended behind their backs. */
  private readonly causes = new Map<string, string>();

  constructor(
    private readonly ec2: Ec2,
    private readonly times: AutoScalingTimes,
  ) {
    super();
    this.on(DescribeAutoScalingGroupsCommand, ({ Filters, NextToken }) => {
      const found = [...this.groups.values()].filter(({ tags }) => passes(Filters, tags));
      const from = Number(NextToken ?? 0);
      const to = from + this.pageSize;
      return {
        AutoScalingGroups: found.slice(from, to).map(describe),
        ...(to < found.length && { NextToken: String(to) }),
      };
    });
    this.on(UpdateAutoScalingGroupCommand, ({ AutoScalingGroupName, MinSize, DesiredCapacity, MaxSize, ...more }) => {
      const group = this.get(AutoScalingGroupName);
      // As in AWS, what is left out of the distribution goes back to its default: 100 % on demand.
      const { InstancesDistribution } = more.MixedInstancesPolicy ?? {};
      if (InstancesDistribution)
        group.onDemandPercent = InstancesDistribution.OnDemandPercentageAboveBaseCapacity ?? 100;
      const { min, desired, max } = group;
      this.resize(group, MinSize ?? min, DesiredCapacity ?? desired, MaxSize ?? max);
      return {};
    });
    this.on(CompleteLifecycleActionCommand, ({ AutoScalingGroupName, InstanceId = '', LifecycleActionResult }) => {
      const group = this.get(AutoScalingGroupName);
      if (group.lifecycle.get(InstanceId) !== 'Pending:Wait') {
        throw validationError(`No active Lifecycle Action found with instance ID ${InstanceId}`);
      }
      this.endWait(group, InstanceId, LifecycleActionResult === 'CONTINUE');
      return {};
    });
    // The model never evens out zones; of the processes, only Launch makes a difference here.
    this.on(SuspendProcessesCommand, ({ AutoScalingGroupName, ScalingProcesses = [] }) => {
      for (const process of ScalingProcesses) this.get(AutoScalingGroupName).suspended.add(process);
      return {};
    });
    this.on(ResumeProcessesCommand, ({ AutoScalingGroupName, ScalingProcesses = [] }) => {
      const group = this.get(AutoScalingGroupName);
      for (const process of ScalingProcesses) group.suspended.delete(process);
      this.keepSize(group, this.times.react);
      return {};
    });
    this.on(EnterStandbyCommand, ({ AutoScalingGroupName, InstanceIds = [], ShouldDecrementDesiredCapacity }) => {
      const group = this.get(AutoScalingGroupName);
      checkCount(InstanceIds);
      if (!ShouldDecrementDesiredCapacity) throw validationError('The model knows standby only with a decrement');
      checkState(group, InstanceIds, 'InService');
      if (group.desired - InstanceIds.length < group.min) {
        throw validationError(`AutoScalingGroup ${group.name} has min size ${String(group.min)}`);
      }
      group.desired -= InstanceIds.length;
      for (const id of InstanceIds) this.pass(group, id, 'EnteringStandby', 'Standby');
      return {};
    });
    this.on(ExitStandbyCommand, ({ AutoScalingGroupName, InstanceIds = [] }) => {
      const group = this.get(AutoScalingGroupName);
      checkCount(InstanceIds);
      checkState(group, InstanceIds, 'Standby');
      if (group.desired + InstanceIds.length > group.max) {
        throw validationError(`AutoScalingGroup ${group.name} has max size ${String(group.max)}`);
      }
      group.desired += InstanceIds.length;
      for (const id of InstanceIds) this.pass(group, id, 'Pending', 'InService');
      return {};
    });
    this.on(TerminateInstanceInAutoScalingGroupCommand, ({ InstanceId = '' }) => {
      if (!this.groupOf(InstanceId)) throw validationError(`Instance Id not found - No managed instance ${InstanceId}`);
      this.end(InstanceId, BECAUSE.request);
      return {};
    });
    this.on(DescribeScalingActivitiesCommand, ({ AutoScalingGroupName }) => ({
      Activities: [...this.get(AutoScalingGroupName).activities].reverse(),
    }));
    ec2.onChange((instance) => this.noticeInstance(instance));
  }

  addGroup(spec: GroupSpec): SimGroup {
    const group: SimGroup = {
      ...spec,
      min: 0,
      desired: 0,
      max: Number(spec.tags['drowse:max'] ?? 1),
      lifecycle: new Map(),
      noCapacity: undefined,
      noSpotCapacity: undefined,
      stalled: false,
      onDemandPercent: spec.tags[TAG.market]?.startsWith('spot') ? 0 : 100,
      suspended: new Set(),
      activities: [],
    };
    this.groups.set(spec.name, group);
    return group;
  }

  get(name: string | undefined): SimGroup {
    const group = this.groups.get(name ?? '');
    if (!group) throw validationError(`AutoScalingGroup name not found - no such group: ${name ?? ''}`);
    return group;
  }

  resize(group: SimGroup, min: number, desired: number, max: number): void {
    if (min > desired || desired > max) {
      const sizes = `min ${String(min)}, desired ${String(desired)}, max ${String(max)}`;
      throw validationError(`Desired capacity must be between the specified min and max sizes: ${sizes}`);
    }
    Object.assign(group, { min, desired, max });
    this.keepSize(group, this.times.react);
  }

  private keepSize(group: SimGroup, seconds: number): void {
    after(seconds * 1000, () => {
      const counted = [...group.lifecycle].filter(([, state]) => COUNTED.includes(state));
      let missing = group.suspended.has('Launch') || group.stalled ? 0 : group.desired - counted.length;
      while (missing > 0 && this.launch(group)) missing -= 1;
      // What a hook holds is out of a smaller size's reach until the hook is answered.
      const free = counted.filter(([, state]) => state !== 'Pending:Wait').map(([id]) => id);
      for (const id of free.slice(0, Math.max(0, counted.length - group.desired))) this.end(id, BECAUSE.size);
    });
  }

  private end(id: string, because: string): void {
    this.causes.set(id, because);
    this.ec2.terminate(id);
  }

  /** False if there is no capacity: it is tried again later. */
  private launch(group: SimGroup): boolean {
    const StartTime = new Date();
    const common = { AutoScalingGroupName: group.name, ActivityId: String(group.activities.length), StartTime };
    const StatusMessage = group.noCapacity ?? (group.onDemandPercent === 0 ? group.noSpotCapacity : undefined);
    if (StatusMessage !== undefined) {
      // An instance that dies before it serves is cancelled; everything else fails.
      const died = StatusMessage.includes('Termination Reason');
      const failed = { StatusCode: died ? 'Cancelled' : 'Failed', StatusMessage } as const;
      group.activities.push({
        ...common,
        ...failed,
        Cause: 'A launch was due',
        Description: 'Launching a new instance',
      });
      this.keepSize(group, this.times.retryLaunch);
      return false;
    }
    const instance = this.ec2.launch({ ...group.tags }, group.instanceTypes[0]);
    group.activities.push({ ...common, StatusCode: 'Successful', Cause: 'A launch was due', Description: instance.id });
    group.lifecycle.set(instance.id, group.hook ? 'Pending:Wait' : 'Pending');
    const { hook } = group;
    if (!hook) return true;
    after(1000, () => {
      this.onLaunch({
        LifecycleActionToken: `token-${instance.id}`,
        AutoScalingGroupName: group.name,
        LifecycleHookName: hook.name,
        EC2InstanceId: instance.id,
        LifecycleTransition: 'autoscaling:EC2_INSTANCE_LAUNCHING',
        NotificationMetadata: JSON.stringify(hook.metadata),
      });
    });
    after(hook.heartbeatSeconds * 1000, () => {
      if (group.lifecycle.get(instance.id) === 'Pending:Wait') this.endWait(group, instance.id, false);
    });
    return true;
  }

  private endWait(group: SimGroup, id: string, joined: boolean): void {
    if (joined) {
      group.lifecycle.set(id, 'InService');
      this.onServing(id);
    } else this.end(id, group.desired === 0 ? BECAUSE.size : BECAUSE.request);
    this.keepSize(group, this.times.react);
  }

  private pass(group: SimGroup, id: string, passing: string, lasting: string): void {
    if (!group.lifecycle.has(id)) throw validationError(`The instance ${id} is not part of ${group.name}`);
    group.lifecycle.set(id, passing);
    after(this.times.standby * 1000, () => {
      if (group.lifecycle.get(id) === passing) group.lifecycle.set(id, lasting);
    });
  }

  private groupOf(instanceId: string): SimGroup | undefined {
    return [...this.groups.values()].find(({ lifecycle }) => lifecycle.has(instanceId));
  }

  private noticeInstance({ id, state }: SimInstance): void {
    const group = this.groupOf(id);
    if (!group) return;
    if (state === 'running' && group.lifecycle.get(id) === 'Pending') {
      group.lifecycle.set(id, 'InService');
      this.onServing(id);
    }
    if (state === 'shutting-down') {
      group.lifecycle.set(id, 'Terminating');
      this.keepSize(group, this.times.replace);
    }
    if (state !== 'terminated') return;
    group.lifecycle.delete(id);
    const Cause = `an instance was taken out of service in response to ${this.causes.get(id) ?? BECAUSE.health}`;
    this.onTerminate({ AutoScalingGroupName: group.name, EC2InstanceId: id, Cause });
  }
}

function describe(group: SimGroup) {
  const { name, tags, min, desired, max, lifecycle, launchTemplateId, instanceTypes, onDemandPercent, suspended } =
    group;
  const { zones } = group;
  const LaunchTemplateSpecification = { LaunchTemplateId: launchTemplateId, Version: '1' };
  const Overrides = instanceTypes.map((InstanceType) => ({ InstanceType }));
  return {
    AutoScalingGroupName: name,
    MinSize: min,
    DesiredCapacity: desired,
    MaxSize: max,
    AvailabilityZones: [...zones],
    Tags: tagList(tags),
    MixedInstancesPolicy: {
      LaunchTemplate: { LaunchTemplateSpecification, Overrides },
      InstancesDistribution: {
        OnDemandBaseCapacity: 0,
        OnDemandPercentageAboveBaseCapacity: onDemandPercent,
        SpotAllocationStrategy: 'capacity-optimized-prioritized',
      },
    },
    SuspendedProcesses: [...suspended].map((ProcessName) => ({ ProcessName })),
    Instances: [...lifecycle].map(([InstanceId, LifecycleState]) => ({ InstanceId, LifecycleState })),
  };
}

/** @throws ValidationError as AWS: all or none are moved */
function checkState({ name, lifecycle }: SimGroup, ids: readonly string[], state: string): void {
  for (const id of ids) {
    if (lifecycle.get(id) !== state) throw validationError(`The instance ${id} is not in ${state} of ${name}.`);
  }
}

function checkCount(ids: readonly string[]): void {
  if (ids.length > STANDBY_AT_ONCE)
    throw validationError(`InstanceIds: at most ${String(STANDBY_AT_ONCE)} may be named`);
}
