import * as z from 'zod';
import { type ClusterStore, STATES_OF } from '../shared/cluster-store';
import { type ClusterState, degradedPool, leased } from '../shared/contracts';
import { clusterStore } from '../shared/deps';
import { step } from '../shared/step';
import { env } from './env';

const input = leased.extend({
  /** What WaitForNodes left: pools that could not be brought up; everything else is. */
  nodes: z.object({ degraded: z.array(degradedPool) }).optional(),
});

interface Deps {
  store: ClusterStore;
}

/**
 * Ends a workflow well: the cluster's new state, the lease free. A child under its parent's lease leaves both to its
 * parent; installing the platform also records that it is installed.
 */
export const recordSuccess =
  ({ store }: Deps) =>
  async ({ execution, lease, workflow, nodes }: z.output<typeof input>): Promise<{ state?: ClusterState }> => {
    if (workflow === 'install-platform') await store.recordPlatform();
    if (lease !== execution) return {};
    const { after } = STATES_OF[workflow];
    const degraded = nodes?.degraded ?? [];
    const state = after === 'awake' && degraded.length > 0 ? 'awake-degraded' : after;
    await store.recordSuccess(execution, state, { restored: after === 'awake', degraded });
    return state === undefined ? {} : { state };
  };

export const handler = step(
  { name: 'record-success', input, env, deps: (env) => ({ store: clusterStore(env) }), renewsLease: false },
  recordSuccess,
);
