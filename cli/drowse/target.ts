import { didYouMean } from '../../core/config/did-you-mean';
import { namesOf } from '../../core/config/names';
import type { ClusterConfig } from '../../core/config/schema';
import { COMMERCIAL_REGIONS, REGIONS_DATE } from '../../core/facts/regions';
import { describeTarget, loadConfig } from '../../lib/config/load';
import { CommandFailed, EXIT } from '../terminal/errors';

/** Options that every verb has. */
export interface FileOptions {
  config?: string;
  json?: boolean;
}

/** Options of the verbs that ask AWS. */
export interface TargetOptions extends FileOptions {
  cluster?: string;
  region?: string;
}

/** The cluster that a verb acts on. */
export interface Target {
  cluster: string;
  region: string;
  /** Undefined for a cluster that only the options name: what it is made of is not known here. */
  config: ClusterConfig | undefined;
  /** `cluster drowse in us-east-1, from cluster.yaml`. */
  description: string;
}

/**
 * The cluster of the configuration, or another of the same account that `--cluster` and `--region` name.
 * @throws InvalidConfig as loadConfig does
 * @throws CommandFailed if there is no such region
 */
export function targetOf({ config: file = process.env.DROWSE_CONFIG, cluster, region }: TargetOptions): Target {
  const config = loadConfig(file);
  if (region !== undefined) checkRegion(region);
  const target = { cluster: cluster ?? config.name, region: region ?? config.region };
  const named = target.cluster !== config.name || target.region !== config.region;
  return named
    ? { ...target, config: undefined, description: `cluster ${target.cluster} in ${target.region}, as the options say` }
    : { ...target, config, description: describeTarget(config, file) };
}

/** A typo is told at once: by the network it is only a host that does not answer. */
function checkRegion(region: string): void {
  if (COMMERCIAL_REGIONS.includes(region)) return;
  const near = didYouMean(region, COMMERCIAL_REGIONS);
  throw new CommandFailed(
    `--region ${region}: no region where drowse runs (list of ${REGIONS_DATE})`,
    near === undefined ? `There are ${COMMERCIAL_REGIONS.join(', ')}.` : `Did you mean ${near}?`,
    '',
    EXIT.wrongUse,
  );
}

/**
 * @param lacks what a deployed cluster has and this one does not
 * @param there names of the clusters that there are, as far as they are known
 */
export function notDeployed({ description }: Target, lacks: string, there: readonly string[] = []): CommandFailed {
  const others = there.length === 0 ? '' : `Deployed there: ${there.join(', ')} (--cluster). `;
  return new CommandFailed(
    `${description}, is not deployed: it has no ${lacks}`,
    `${others}Check the cluster’s name, --region and the account that your credentials are for; drowse deploy deploys it.`,
  );
}

/** ARN of the state machine of a workflow. */
export function machineArn(
  { partition, region, account }: { partition: string; region: string; account: string },
  cluster: string,
  workflow: string,
): string {
  return `arn:${partition}:states:${region}:${account}:stateMachine:${namesOf(cluster).workflow(workflow)}`;
}
