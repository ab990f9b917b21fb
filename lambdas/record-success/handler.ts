import type { EC2Client } from '@aws-sdk/client-ec2';
import type * as z from 'zod';
import { ec2 } from '../shared/clients/clients';
import type { Rates } from '../../core/cost/bill';
import { STATES_OF } from '../../core/record/cluster-record';
import type { ClusterStore } from '../shared/record/cluster-store';
import type { ClusterState } from '../../core/record/contracts';
import type { HistoryStore } from '../shared/record/history-store';
import { clusterStore, historyStore, notifyDeps } from '../shared/step/deps';
import { readFailure } from '../shared/news/failures';
import { notify, type NotifyDeps } from '../shared/news/notify';
import { describeRunningCost } from '../shared/ec2/running-cost';
import { step } from '../shared/step/step';
import { env } from './env';
import { describeSuccess, warningsOf, workflowEnd } from './news';
import { describeSaving } from './saving';

interface Deps {
  cluster: string;
  store: ClusterStore;
  history: Pick<HistoryStore, 'record' | 'recent'>;
  ec2: EC2Client;
  /** USD an hour by instance type. */
  prices: Readonly<Record<string, number>>;
  notify: NotifyDeps;
  rates: Rates;
  /** Where the app is; empty if it has no name. */
  appUrl: string;
  now?: () => number;
}

/**
 * Ends a workflow well: the cluster's new state, the lease free, somebody told. A child under its parent's lease leaves
 * all that to its parent; installing the platform also records that it is installed.
 */
export const recordSuccess =
  ({ cluster, store, history, ec2, prices, notify: topic, rates, appUrl, now = Date.now }: Deps) =>
  async (end: z.output<typeof workflowEnd>): Promise<{ state?: ClusterState }> => {
    const { execution, lease, workflow, nodes, probe, startedAt, requestedBy, reason } = end;
    if (workflow === 'install-platform') await store.recordPlatform();
    if (lease !== execution) return {};
    const { after } = STATES_OF[workflow];
    const degraded = nodes?.degraded ?? [];
    const unreachable = probe && 'Error' in probe ? `app not reachable: ${readFailure(probe).cause}` : undefined;
    const isDegraded = degraded.length > 0 || unreachable !== undefined;
    const state = after === 'awake' && isDegraded ? 'awake-degraded' : after;
    if (end.started) await store.recordWarnings(warningsOf(end));
    await store.recordSuccess(execution, state, { restored: after === 'awake', degraded, unreachable });
    const endedAt = new Date(now()).toISOString();
    const outcome = state === 'awake-degraded' ? 'degraded' : 'succeeded';
    await history.record({ workflow, startedAt, endedAt, requestedBy, reason, outcome });
    if (workflow !== 'install-platform') {
      const { subject, text } = describeSuccess(cluster, end, state, now());
      const more = [
        state === 'awake' && appUrl !== '' ? `The app: ${appUrl}` : undefined,
        await describeRunningCost(ec2, cluster, prices),
        state === 'asleep' ? await describeSaving(history, rates, new Date(now())) : undefined,
      ];
      await notify(topic, `${execution}#done`, {
        subject,
        text: [text, ...more.filter((one) => one !== undefined)].join('\n\n'),
      });
    }
    return state === undefined ? {} : { state };
  };

export const handler = step(
  {
    name: 'record-success',
    input: workflowEnd,
    env,
    deps: (env) => ({
      cluster: env.CLUSTER_NAME,
      store: clusterStore(env),
      history: historyStore(env),
      ec2: ec2(),
      prices: env.INSTANCE_PRICES,
      rates: env.RATES,
      appUrl: env.APP_URL,
      notify: notifyDeps(env),
    }),
    renewsLease: false,
  },
  recordSuccess,
);
