import type { EC2Client } from '@aws-sdk/client-ec2';
import { api, type ApiAnswer } from '../shared/api';
import { ec2 } from '../shared/clients';
import type { ClusterStore } from '../shared/cluster-store';
import { clusterStore } from '../shared/deps';
import { describeElasticIp } from '../shared/elastic-ip';
import { describeNodes, PRESENT_STATES } from '../shared/instances';
import { env } from './env';

interface Deps {
  cluster: string;
  ec2: EC2Client;
  store: ClusterStore;
}

/** Tells what the cluster is and does: state, running workflow, last failure, nodes with their phases. No secrets. */
export const getStatus =
  ({ cluster, ec2, store }: Deps) =>
  async (): Promise<ApiAnswer> => {
    const [record, nodes, address] = await Promise.all([
      store.read(),
      describeNodes(ec2, cluster, PRESENT_STATES),
      describeElasticIp(ec2, cluster),
    ]);
    const { state, since, lease, failure, degraded, platformAt } = record;
    const running = lease && {
      workflow: lease.workflow,
      step: lease.step,
      since: lease.since,
      requestedBy: lease.requestedBy,
      execution: lease.owner,
    };
    const elasticIp = address && { publicIp: address.PublicIp, instanceId: address.InstanceId };
    return {
      statusCode: 200,
      body: { cluster, state, since, running, failure, degraded, platformAt, nodes, elasticIp },
    };
  };

export const handler = api(
  {
    name: 'get-status',
    env,
    deps: (env) => ({ cluster: env.CLUSTER_NAME, ec2: ec2(), store: clusterStore(env) }),
  },
  getStatus,
);
