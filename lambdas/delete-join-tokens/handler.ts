import { DeleteParametersCommand, type SSMClient } from '@aws-sdk/client-ssm';
import { ssm } from '../shared/clients/clients';
import type { ClusterStore } from '../shared/record/cluster-store';
import { leased } from '../../core/record/contracts';
import { clusterStore } from '../shared/step/deps';
import { listJoinParameters } from '../shared/commands/join-tokens';
import { step } from '../shared/step/step';
import { env } from './env';

const input = leased.pick({ execution: true });

/** Names that one call may carry; source: DeleteParameters in the Systems Manager API reference. */
const BATCH = 10;

interface Deps {
  cluster: string;
  ssm: SSMClient;
  store: ClusterStore;
}

/** Deletes the join tokens: a sleeping cluster has no use for a secret that lets nodes in. */
export const deleteJoinTokens =
  ({ cluster, ssm }: Deps) =>
  async (): Promise<void> => {
    const names = await listJoinParameters(ssm, cluster);
    for (let from = 0; from < names.length; from += BATCH) {
      await ssm.send(new DeleteParametersCommand({ Names: names.slice(from, from + BATCH) }));
    }
  };

export const handler = step(
  {
    name: 'delete-join-tokens',
    input,
    env,
    deps: (env) => ({ cluster: env.CLUSTER_NAME, ssm: ssm(), store: clusterStore(env) }),
  },
  deleteJoinTokens,
);
