import { X509Certificate } from 'node:crypto';
import { resolve4 } from 'node:dns/promises';
import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { EC2Client } from '@aws-sdk/client-ec2';
import { S3Client } from '@aws-sdk/client-s3';
import { ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { DescribeParametersCommand, SSMClient } from '@aws-sdk/client-ssm';
import { appOf, namesOf } from '../../../core/config/names';
import type { ClusterConfig } from '../../../core/config/schema';
import { getHttps, type HttpsRequest } from '../../../lambdas/shared/clients/https';
import { describeNodes, LIVE_STATES } from '../../../lambdas/shared/ec2/instances';
import { findReachable } from '../../../lambdas/shared/commands/run-command';
import {
  examine,
  type Finding,
  type Look,
  looksOf,
  reachUrl,
  readPage,
} from '../../../lambdas/shared/readiness/examine';
import { colors } from '../../terminal/colors';
import { CommandFailed, EXIT } from '../../terminal/errors';
import { findProgram } from '../../terminal/programs';
import { answer } from '../answers';
import { identityOf } from '../aws';
import { duration } from '../describe';
import { examineBudget, examineSchedules, examineToken } from '../looks';
import { readCredentials } from '../reach/credentials';
import { findPlugin } from '../reach/session';
import type { Status } from '../status-answer';
import { type Target, type TargetOptions, targetOf } from '../target';
import { WakeApi } from '../wake-api';

/** An authority that ends so soon has to be seen to (ms). */
const AUTHORITY_SOON_MS = 21 * 86_400_000;

/** Looks at all that the cluster and its people need, changes nothing, and says what is wrong. */
export async function doctor(options: TargetOptions, signal: AbortSignal): Promise<number> {
  const target = targetOf(options);
  if (!options.json) console.log(target.description);
  // Without these there is nothing to look at.
  const { account } = await identityOf(target);
  const api = await WakeApi.connect(target, signal);
  const status = await api.status();
  const findings = await examine([
    ...looksOf(await readinessOf(target, account, status)),
    ...looksOfCommand(target, status, api),
  ]);
  const worst = (state: Finding['state']): boolean => findings.some((finding) => finding.state === state);
  const code = worst('problem') ? EXIT.failed : worst('warning') ? EXIT.degraded : EXIT.done;
  if (options.json) {
    answer('doctor', findings);
    return code;
  }
  const { green, yellow, red } = colors(process.stdout);
  const marks = { ok: green('✓'), warning: yellow('!'), problem: red('✗') };
  for (const { name, state, detail } of findings) console.log(`  ${marks[state]} ${name}: ${detail}`);
  console.log(
    code === EXIT.done
      ? 'Nothing stands in the way of the next wake.'
      : 'docs/runbook.md has an entry for each error that a wake ends with.',
  );
  return code;
}

async function readinessOf({ cluster, region, config }: Target, account: string, status: Status) {
  const { snapshot, platformAt } = status;
  return {
    cluster,
    bucket: namesOf(cluster).bucket(account, region),
    domain: config?.app.domain,
    autoScaling: new AutoScalingClient({ region }),
    ec2: new EC2Client({ region }),
    s3: new S3Client({ region }),
    serviceQuotas: new ServiceQuotasClient({ region }),
    record: () => Promise.resolve({ snapshot, platformAt }),
    hasWaitingPage: config?.app.waitingPage !== undefined,
    certificates: config === undefined ? 'self-signed' : appOf(config).certificates,
    web: { get: (request: HttpsRequest) => getHttps({ ...request, ...ingressOf(process.env.DROWSE_INGRESS) }) },
    sources: await sourcesOf(config),
    reach: reachUrl,
    resolve: resolve4,
    read: readPage,
  };
}

/** Where the ingress is on the embedded AWS, whose Elastic IP leads nowhere: `127.0.0.1:443`. */
function ingressOf(place: string | undefined): { address: string; port: number } | undefined {
  const [address = '', port = '443'] = place?.split(':') ?? [];
  return place === undefined ? undefined : { address, port: Number(port) };
}

/** Where nodes and platform take what they need; `DROWSE_SOURCES` names other addresses, as whoever has mirrors wants it. */
async function sourcesOf(config: ClusterConfig | undefined): Promise<string[]> {
  const others = process.env.DROWSE_SOURCES;
  if (others !== undefined) return others.split(' ').filter(Boolean);
  return config === undefined ? [] : (await import('../../../lib/platform')).platformSources(config);
}

/** What only a person's own machine can see. */
function looksOfCommand(target: Target, status: Status, api: WakeApi): Look[] {
  const { config } = target;
  const look = (name: string, find: Look['find']): Look => ({ name, find });
  return [
    look('stacks', () => examineStacks(target)),
    look('API', () =>
      Promise.resolve(
        status.failure
          ? { state: 'warning', detail: `answers; the last run failed: ${status.failure.error}` }
          : { state: 'ok', detail: `answers: ${status.state}` },
      ),
    ),
    look('parameters', () => examineParameters(target)),
    // Where people have certificates of their own, nothing is stored that has it: drowse kubeconfig looks at it each time.
    ...(config && config.access.length > 0 ? [] : [look('authority', () => examineAuthority(target))]),
    ...(config
      ? [look('schedules', () => examineSchedules(target, config)), look('budget', () => examineBudget(api, config))]
      : []),
    look('agents', () => examineAgents(target)),
    ...(config?.app.domain !== undefined && appOf(config).certificates !== 'self-signed'
      ? [look('Cloudflare token', () => examineToken(target, config.app.domain ?? ''))]
      : []),
    look('kubectl', () => Promise.resolve(examineTool('kubectl', 'https://kubernetes.io/docs/tasks/tools/'))),
    look('Session Manager plugin', () => Promise.resolve(examinePlugin())),
  ];
}

async function examineStacks({ cluster, region, config }: Target): Promise<Omit<Finding, 'name'>> {
  const { foundationStack, clusterStack, operationsStack, auditStack } = namesOf(cluster);
  const client = new CloudFormationClient({ region });
  const wanted = [foundationStack, clusterStack, operationsStack, ...(config?.audit.enabled ? [auditStack] : [])];
  const states = await Promise.all(
    wanted.map(async (StackName) => {
      const { Stacks = [] } = await client.send(new DescribeStacksCommand({ StackName }));
      return `${StackName} ${Stacks[0]?.StackStatus ?? 'is not there'}`;
    }),
  );
  const wrong = states.filter((state) => !/ (CREATE|UPDATE|IMPORT)_COMPLETE$/.test(state));
  return wrong.length === 0
    ? { state: 'ok', detail: `${String(states.length)} deployed` }
    : { state: 'warning', detail: `${wrong.join(', ')}: drowse deploy mends them` };
}

/** Whether the parameters are there that the seats and a deployment write. */
async function examineParameters({ cluster, region }: Target): Promise<Omit<Finding, 'name'>> {
  const names = namesOf(cluster);
  const found = await parametersOf(region, [names.platformParameter, names.initializedParameter]);
  if (!found.has(names.platformParameter)) {
    return { state: 'problem', detail: `${names.platformParameter} is missing: drowse deploy writes it` };
  }
  return found.has(names.initializedParameter)
    ? { state: 'ok', detail: 'there' }
    : { state: 'warning', detail: 'the cluster was never made: drowse bootstrap does' };
}

async function parametersOf(region: string, names: readonly string[]): Promise<Set<string>> {
  const ParameterFilters = [{ Key: 'Name', Values: [...names] }];
  const { Parameters = [] } = await new SSMClient({ region }).send(new DescribeParametersCommand({ ParameterFilters }));
  return new Set(Parameters.map(({ Name = '' }) => Name));
}

async function examineAuthority(target: Target): Promise<Omit<Finding, 'name'>> {
  try {
    const { ca } = await readCredentials(target);
    const left = new X509Certificate(ca).validToDate.getTime() - Date.now();
    return {
      state: left < AUTHORITY_SOON_MS ? 'warning' : 'ok',
      detail: `the cluster’s own holds for ${duration(left)}`,
    };
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    // The operator's certificate ends by itself, hours after a wake; the next one makes another.
    return { state: error.message.includes(' expired ') ? 'ok' : 'warning', detail: error.message };
  }
}

/** The agents of Systems Manager, through which workflows run commands. */
async function examineAgents({ cluster, region }: Target): Promise<Omit<Finding, 'name'>> {
  const nodes = await describeNodes(new EC2Client({ region }), cluster, LIVE_STATES);
  const ready = nodes.filter(({ phase }) => phase === 'ready').map(({ id }) => id);
  if (ready.length === 0) return { state: 'ok', detail: 'no node runs' };
  const reachable = await findReachable(new SSMClient({ region }), ready);
  const silent = ready.filter((id) => !reachable.includes(id));
  return silent.length === 0
    ? { state: 'ok', detail: `${String(ready.length)} answer` }
    : { state: 'warning', detail: `no answer from ${silent.join(', ')}` };
}

function examineTool(tool: string, where: string): Omit<Finding, 'name'> {
  const found = findProgram(tool);
  return found === undefined
    ? { state: 'warning', detail: `not found on this machine: ${where}` }
    : { state: 'ok', detail: found };
}

function examinePlugin(): Omit<Finding, 'name'> {
  try {
    return { state: 'ok', detail: findPlugin() };
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    return { state: 'warning', detail: `not found on this machine, and tunnel and shell need it. ${error.remedy}` };
  }
}
