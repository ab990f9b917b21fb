import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { EC2Client } from '@aws-sdk/client-ec2';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { S3Client } from '@aws-sdk/client-s3';
import { ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SNSClient } from '@aws-sdk/client-sns';
import { SSMClient } from '@aws-sdk/client-ssm';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { LAUNCH_HOOK, namesOf, TAG } from '../core/config/names';
import type { ClusterConfig } from '../core/config/schema';
import type { Clients } from '../lambdas/shared/clients/clients';
import { passFence } from '../lambdas/shared/step/fence';
import { AutoScaling } from './aws/auto-scaling';
import { CallLog } from './aws/calls';
import { Dynamo } from './aws/dynamodb';
import { Ec2 } from './aws/ec2';
import { serviceFault } from './aws/errors';
import { asSdk, Faults } from './aws/faults';
import { LoadBalancing } from './aws/load-balancing';
import { S3 } from './aws/s3';
import { actionOf, type Service } from './aws/service';
import { ServiceQuotas } from './aws/service-quotas';
import { Sns } from './aws/sns';
import { Ssm } from './aws/ssm';
import { StepFunctions } from './aws/step-functions';
import { addDocuments } from './documents';
import { Etcd } from './etcd';
import type { InCluster } from './in-cluster';
import { Nodes } from './nodes';
import { Outside } from './outside';

export const REGION = 'us-east-1';
export const ACCOUNT = '123456789012';
/** How long any call takes (ms). */
const CALL_MS = 40;
const HEARTBEAT_SECONDS = 1800;
const IMAGE = 'ami-0123456789abcdef0';
export const ELASTIC_IP_ID = 'eipalloc-0123456789abcdef0';

/** One cluster in a model of AWS: what the stacks make of a configuration, asleep and never bootstrapped. */
export class Model {
  readonly names;
  readonly calls = new CallLog();
  readonly faults = new Faults();
  readonly ec2 = new Ec2({ launch: 12, terminate: 35, stop: 25, start: 8 });
  readonly autoScaling = new AutoScaling(this.ec2, { react: 3, replace: 20, standby: 4, retryLaunch: 60 });
  readonly loadBalancing = new LoadBalancing({ activate: 150, delete: 0 });
  readonly serviceQuotas = new ServiceQuotas();
  readonly s3;
  readonly sns;
  readonly ssm = new Ssm(this.ec2);
  readonly stepFunctions = new StepFunctions();
  readonly etcd = new Etcd(this.ec2);
  readonly dynamo;
  readonly nodes;
  readonly inside: InCluster = {
    nodes: new Set(),
    cordoned: new Set(),
    platform: { installs: 0, at: undefined },
    snapshots: [],
    activity: { requests: 0, gpuPercent: 0, jobs: 0, pods: 0 },
  };
  readonly outside = new Outside(this.ec2, this.inside);

  constructor(readonly config: ClusterConfig) {
    this.names = namesOf(config.name);
    this.dynamo = new Dynamo(this.names.table);
    this.sns = new Sns(`arn:aws:sns:${REGION}:${ACCOUNT}:${this.names.notificationTopic}`);
    this.s3 = new S3(this.names.bucket(ACCOUNT, REGION));
    this.nodes = new Nodes(this.ec2, this.ssm, this.names.joinParameter, this.etcd);
    this.ec2.images.add(IMAGE);
    const clusterTag = { [TAG.cluster]: config.name };
    this.ec2.address = { id: ELASTIC_IP_ID, publicIp: '203.0.113.7', tags: clusterTag, instanceId: undefined };
    this.addSeats(clusterTag);
    this.addPools(clusterTag);
    this.ec2.onChange(({ id, state, tags }) => {
      if (state === 'running' && tags[TAG.role] !== undefined) this.inside.nodes.add(id);
    });
    this.nodes.onSeatReady = () => {
      const live = new Set(this.ec2.in('running').map(({ id }) => id));
      for (const name of this.inside.nodes) if (!live.has(name)) this.inside.nodes.delete(name);
    };
    addDocuments(this, config);
  }

  /** The SDK clients as a step sees them; what they do is recorded under the caller's name. */
  clients(caller: string): Clients {
    return {
      ec2: this.client(EC2Client.prototype, this.ec2, caller),
      autoScaling: this.client(AutoScalingClient.prototype, this.autoScaling, caller),
      loadBalancing: this.client(ElasticLoadBalancingV2Client.prototype, this.loadBalancing, caller),
      serviceQuotas: this.client(ServiceQuotasClient.prototype, this.serviceQuotas, caller),
      s3: this.client(S3Client.prototype, this.s3, caller),
      sns: this.client(SNSClient.prototype, this.sns, caller),
      ssm: this.client(SSMClient.prototype, this.ssm, caller),
      stepFunctions: this.client(SFNClient.prototype, this.stepFunctions, caller),
      dynamo: this.client(DynamoDBDocumentClient.prototype, this.dynamo, caller),
      web: this.outside,
    };
  }

  /** The cluster's item in its table. */
  get record(): Record<string, unknown> {
    return this.dynamo.items.get('cluster') ?? {};
  }

  private client<Client extends object>(prototype: Client, service: Service, caller: string): Client {
    const send = async (command: { input: object }): Promise<object> => {
      const call = { caller, service: service.prefix, action: actionOf(command.constructor), input: command.input };
      await passFence(call.action);
      this.calls.add(call);
      const fault = await asSdk(async () => {
        await new Promise((resolve) => setTimeout(resolve, CALL_MS));
        return this.faults.strike(call);
      });
      if (fault !== undefined) {
        service.answer(command);
        if (fault === 'after-effect') throw serviceFault();
        await new Promise((resolve) => setTimeout(resolve, CALL_MS));
      }
      return { ...service.answer(command), $metadata: { httpStatusCode: 200 } };
    };
    return Object.create(prototype, { send: { value: send } }) as Client;
  }

  private addSeats(clusterTag: Record<string, string>): void {
    const { seats, ingress } = this.config.controlPlane;
    for (let seat = 0; seat < seats; seat += 1) {
      const tags = { ...clusterTag, [TAG.seat]: String(seat) };
      this.ec2.volumes.push({ id: `vol-${String(seat)}`, state: 'available', tags });
      const role = { [TAG.role]: 'seat', ...(ingress && { [TAG.ingress]: 'true' }) };
      const sizes = { [TAG.min]: '1', [TAG.desired]: '1', [TAG.max]: '1' };
      const metadata = { role: 'seat', ingress: true };
      this.addGroup(
        this.names.seatGroup(seat),
        { ...tags, ...role, ...sizes },
        this.config.controlPlane,
        ingress ? metadata : undefined,
      );
    }
  }

  private addPools(clusterTag: Record<string, string>): void {
    for (const { name, min, desired, max, gpu, ingress, sleep, market, instanceTypes, diskGiB } of this.config.pools) {
      const sizes = { [TAG.min]: String(min), [TAG.desired]: String(desired), [TAG.max]: String(max) };
      const role = {
        [TAG.role]: 'pool',
        [TAG.pool]: name,
        [TAG.sleep]: sleep,
        [TAG.market]: market,
        ...(gpu && { [TAG.gpu]: 'true' }),
        ...(ingress && { [TAG.ingress]: 'true' }),
      };
      const made = { instanceTypes, diskGiB };
      this.addGroup(this.names.poolGroup(name), { ...clusterTag, ...role, ...sizes }, made, {
        role: 'pool',
        pool: name,
        ingress,
      });
    }
  }

  private addGroup(
    name: string,
    tags: Record<string, string>,
    { instanceTypes, diskGiB }: { instanceTypes: readonly string[]; diskGiB: number },
    metadata: object | undefined,
  ): void {
    const launchTemplateId = `lt-${name}`;
    this.ec2.launchTemplates.set(launchTemplateId, { imageId: IMAGE, diskGiB });
    this.autoScaling.addGroup({
      name,
      tags,
      launchTemplateId,
      instanceTypes,
      zones: this.config.zones,
      ...(metadata && { hook: { name: LAUNCH_HOOK, metadata, heartbeatSeconds: HEARTBEAT_SECONDS } }),
    });
  }
}
