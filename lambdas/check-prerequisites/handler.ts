import type { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import type { EC2Client } from '@aws-sdk/client-ec2';
import type { ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import type * as z from 'zod';
import { TAG } from '../../core/config/names';
import { autoScaling, ec2, serviceQuotas } from '../shared/clients/clients';
import type { ClusterRecord } from '../../core/record/cluster-record';
import type { ClusterStore } from '../shared/record/cluster-store';
import { leased, type prerequisites } from '../../core/record/contracts';
import { clusterStore } from '../shared/step/deps';
import { describeGroups } from '../shared/ec2/groups';
import { describeImageProblem } from '../shared/ec2/images';
import { compareQuotas } from '../shared/ec2/quotas';
import { step } from '../shared/step/step';
import { env } from './env';
import { describeVolumeProblems, hasAddress } from '../shared/readiness/foundation';

const input = leased.pick({ execution: true, workflow: true });

/** Something that every wake needs does not exist. */
export class PrerequisiteMissing extends Error {
  override readonly name = 'PrerequisiteMissing';
}

interface Deps {
  cluster: string;
  elasticIpId: string;
  autoScaling: AutoScalingClient;
  ec2: EC2Client;
  serviceQuotas: ServiceQuotasClient;
  store: ClusterStore;
  now?: () => number;
}

/** A wake from an older snapshot than this (ms) is not what anybody wants to need. */
const SNAPSHOT_OLD_MS = 24 * 3600_000;

/**
 * Looks for what a wake builds upon before it starts anything: better to fail in a second with a list than after
 * minutes with a node that finds no volume. What a wake can do without is only told: in the record and the result.
 * @throws PrerequisiteMissing naming everything that is missing
 */
export const checkPrerequisites =
  ({ cluster, elasticIpId, autoScaling, ec2, serviceQuotas, store, now = Date.now }: Deps) =>
  async ({ workflow }: z.output<typeof input>): Promise<z.output<typeof prerequisites>> => {
    const [groups, record] = await Promise.all([describeGroups(autoScaling, cluster), store.read()]);
    const sizes = workflow === 'bootstrap' ? undefined : record.sizes;
    const quotas = await compareQuotas({ ec2, serviceQuotas }, groups, ({ role, pool = '', configured }) =>
      role === 'seat' ? 1 : (sizes?.[pool]?.desired ?? configured.desired),
    );
    const problems = [
      ...(['seat', 'pool'] as const)
        .filter((role) => !groups.some((group) => group.role === role))
        .map((role) => `no group with ${TAG.role}=${role}`),
      ...(await describeVolumeProblems(ec2, cluster, groups)),
      ...((await hasAddress(ec2, elasticIpId)) ? [] : [`Elastic IP ${elasticIpId} was released`]),
      ...(await Promise.all(groups.map((group) => describeImageProblem(ec2, group)))).filter(
        (found) => found !== undefined,
      ),
      ...quotas.missing,
    ];
    if (problems.length > 0) throw new PrerequisiteMissing(`Missing: ${problems.join('; ')}`);
    const warnings = [...describeSnapshotProblem(record, now()), ...quotas.warnings];
    await store.recordWarnings(warnings);
    return { warnings };
  };

/** A cluster that had its platform once has something to lose. */
function describeSnapshotProblem({ snapshot, platformAt }: ClusterRecord, now: number): string[] {
  if (snapshot === undefined) return platformAt === undefined ? [] : ['there is no snapshot of etcd'];
  const age = now - Date.parse(snapshot.at);
  if (age <= SNAPSHOT_OLD_MS) return [];
  return [`the newest snapshot of etcd is ${Math.floor(age / 3600_000)} hours old (${snapshot.key})`];
}

export const handler = step(
  {
    name: 'check-prerequisites',
    input,
    env,
    deps: (env) => ({
      cluster: env.CLUSTER_NAME,
      elasticIpId: env.ELASTIC_IP_ID,
      autoScaling: autoScaling(),
      ec2: ec2(),
      serviceQuotas: serviceQuotas(),
      store: clusterStore(env),
    }),
  },
  checkPrerequisites,
);
