import { resolve4 } from 'node:dns/promises';
import * as z from 'zod';
import { autoScaling, ec2, s3, serviceQuotas, web } from '../shared/clients/clients';
import { logger } from '../shared/clients/logger';
import { type NotifyDeps, notify } from '../shared/news/notify';
import { examine, type Finding, looksOf, reachUrl, readPage, type ReadinessDeps } from '../shared/readiness/examine';
import type { ClusterStore } from '../shared/record/cluster-store';
import { clusterStore, notifyDeps } from '../shared/step/deps';
import { step } from '../shared/step/step';
import { env } from './env';

const input = z.object({
  /** The scheduler's own ID of this rehearsal: it is told of once. */
  execution: z.string(),
});

interface Deps extends Omit<ReadinessDeps, 'record'> {
  store: Pick<ClusterStore, 'read'>;
  notify: NotifyDeps;
}

/**
 * Looks, the evening before a wake of the schedules, at all that the wake will need, while there is time to see to it. What stands in
 * its way is told; that all is well is only logged. A cluster that was never made has no wake.
 */
export const rehearseWake =
  ({ store, notify: topic, ...deps }: Deps) =>
  async ({ execution }: z.output<typeof input>): Promise<{ findings: Finding[] }> => {
    const record = await store.read();
    if (record.platformAt === undefined) return { findings: [] };
    const findings = await examine(looksOf({ ...deps, record: () => Promise.resolve(record) }));
    const wrong = findings.filter(({ state }) => state !== 'ok');
    if (wrong.length === 0) return { findings };
    logger.warn('The next wake lacks something', { findings: wrong });
    await notify(topic, `rehearsal#${execution}`, { subject: subjectOf(deps.cluster, wrong), text: textOf(wrong) });
    return { findings };
  };

function subjectOf(cluster: string, wrong: readonly Finding[]): string {
  const fails = wrong.some(({ state }) => state === 'problem');
  return `${cluster}: the next wake ${fails ? 'would fail' : 'may lack something'}`;
}

function textOf(wrong: readonly Finding[]): string {
  const lines = wrong.map(
    ({ name, state, detail }) => `${state === 'problem' ? 'PROBLEM' : 'Warning'}: ${name}: ${detail}`,
  );
  return [
    'This evening’s rehearsal of the next scheduled wake has found:',
    ...lines,
    '',
    'docs/runbook.md#rehearsal says what to do; drowse doctor looks again.',
  ].join('\n');
}

export const handler = step(
  {
    name: 'rehearse-wake',
    input,
    env,
    deps: (env) => ({
      cluster: env.CLUSTER_NAME,
      bucket: env.BUCKET_NAME,
      domain: env.DOMAIN === '' ? undefined : env.DOMAIN,
      autoScaling: autoScaling(),
      ec2: ec2(),
      s3: s3(),
      serviceQuotas: serviceQuotas(),
      hasWaitingPage: env.WAITING_PAGE,
      certificates: env.CERTIFICATES,
      web: web(),
      sources: env.SOURCES,
      reach: reachUrl,
      resolve: resolve4,
      read: readPage,
      store: clusterStore(env),
      notify: notifyDeps(env),
    }),
    renewsLease: false,
  },
  rehearseWake,
);
