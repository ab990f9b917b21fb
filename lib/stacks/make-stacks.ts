import { type App, type IStackSynthesizer, Tags } from 'aws-cdk-lib';
import { namesOf, TAG } from '../../core/config/names';
import type { ClusterConfig } from '../../core/config/schema';
import type { LogLevel } from '../constructs/step-lambda/step-lambda';
import { AuditStack } from './audit-stack';
import { ClusterStack, type NodeBundleAsset } from './cluster-stack';
import { FoundationStack } from './foundation-stack';
import { type OperationsCode, OperationsStack } from './operations-stack';

export interface StacksProps {
  config: ClusterConfig;
  /** Account to deploy to; the templates fit any account without it. */
  account?: string | undefined;
  code: OperationsCode;
  nodeBundle: NodeBundleAsset;
  /** The platform's tree, in the same folder. */
  platform: { sha256: string };
  logLevel: LogLevel;
  /** Makes how a stack finds its assets and roles; CDK's default without it. */
  synthesizer?: () => IStackSynthesizer;
}

/** The stacks of one cluster; the audit stack only where the configuration asks for it. */
export interface Stacks {
  foundation: FoundationStack;
  cluster: ClusterStack;
  operations: OperationsStack;
  audit: AuditStack | undefined;
}

/** Makes the stacks of one cluster, by lifetime: each needs those before it, and can be deleted without harm to them. */
export function makeStacks(
  app: App,
  { config, account, code, nodeBundle, platform, logLevel, synthesizer }: StacksProps,
): Stacks {
  const names = namesOf(config.name);
  const props = (description: string) => ({
    config,
    description,
    env: { region: config.region, ...(account !== undefined && { account }) },
    ...(synthesizer && { synthesizer: synthesizer() }),
  });
  for (const [key, value] of Object.entries({ ...config.tags, [TAG.cluster]: config.name })) {
    Tags.of(app).add(key, value);
  }

  const foundation = new FoundationStack(app, names.foundationStack, {
    ...props(`What outlives everything else of drowse cluster ${config.name}`),
    lambdas: code.lambdas,
  });
  const cluster = new ClusterStack(app, names.clusterStack, {
    ...props(`Nodes of drowse cluster ${config.name}`),
    foundation,
    nodeBundle,
    platform,
  });
  const operations = new OperationsStack(app, names.operationsStack, {
    ...props(`Sleep and wake of drowse cluster ${config.name}`),
    foundation,
    cluster,
    code,
    logLevel,
  });
  const audit = config.audit.enabled
    ? new AuditStack(app, names.auditStack, props(`Audit trail of drowse cluster ${config.name}`))
    : undefined;
  return { foundation, cluster, operations, audit };
}
