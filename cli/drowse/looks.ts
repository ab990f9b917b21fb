import { GetParameterCommand, ParameterNotFound, SSMClient } from '@aws-sdk/client-ssm';
import * as z from 'zod';
import { costAnswer } from '../../core/api/answers';
import { namesOf } from '../../core/config/names';
import type { ClusterConfig } from '../../core/config/schema';
import { dnsSuffixOf } from '../../core/facts/regions';
import { daysOfWorkflow } from '../../core/schedule/events';
import { rehearsalOf } from '../../core/schedule/rehearsal';
import type { Finding } from '../../lambdas/shared/readiness/examine';
import { signerOf } from './aws';
import type { Target } from './target';
import type { WakeApi } from './wake-api';

type Found = Omit<Finding, 'name'>;

/** Nobody may take longer to answer (ms). */
const PATIENCE_MS = 8_000;

const listed = z.object({
  Schedules: z.array(z.object({ Name: z.string(), State: z.string() })).default([]),
  NextToken: z.string().nullish(),
});

/**
 * Whether the schedules are there that the configuration wants, and switched on: the console has a switch for each, and a cluster that
 * nobody wakes or puts to sleep says nothing.
 */
export async function examineSchedules({ cluster, region }: Target, config: ClusterConfig): Promise<Found> {
  const states = await readSchedules(cluster, region);
  const missing = schedulesOf(config).filter((name) => !states.has(name));
  const off = [...states].filter(([, state]) => state !== 'ENABLED').map(([name]) => name);
  const wrong = [
    ...(missing.length > 0 ? [`missing: ${missing.join(', ')}; drowse deploy makes them`] : []),
    ...(off.length > 0 ? [`switched off: ${off.join(', ')}; switch them on in EventBridge Scheduler`] : []),
  ];
  return wrong.length > 0
    ? { state: 'warning', detail: wrong.join('. ') }
    : { state: 'ok', detail: `${String(states.size)} switched on` };
}

/** Names of the schedules that a deployment makes of a configuration, in the cluster's group. */
export function schedulesOf({ name: cluster, schedules, idle }: ClusterConfig): string[] {
  const windows = schedules.flatMap((schedule) => [
    ...(['sleep', 'wake'] as const)
      .filter((workflow) => schedule[workflow] !== undefined && daysOfWorkflow(schedule, workflow).length > 0)
      .map((workflow) => `${schedule.name}-${workflow}`),
    ...(rehearsalOf(schedule) ? [`${schedule.name}-rehearsal`] : []),
  ]);
  return ['look-after', ...(idle.enabled ? ['detect-idle'] : []), ...windows].map((name) => `${cluster}-${name}`);
}

/** State by name. The API is so small that no client of its own is worth it. */
async function readSchedules(cluster: string, region: string): Promise<Map<string, string>> {
  const signer = await signerOf('scheduler', region);
  const endpoint = process.env.AWS_ENDPOINT_URL ?? `https://scheduler.${region}.${dnsSuffixOf(region)}`;
  const states = new Map<string, string>();
  let next: string | undefined;
  do {
    const query = new URLSearchParams({ ScheduleGroup: cluster, ...(next !== undefined && { NextToken: next }) });
    const response = await signer.fetch(`${endpoint}/schedules?${query.toString()}`, {
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`ListSchedules answers ${String(response.status)}: ${text.slice(0, 200)}`);
    const page = listed.parse(JSON.parse(text));
    for (const { Name, State } of page.Schedules) states.set(Name, State);
    next = page.NextToken ?? undefined;
  } while (next !== undefined);
  return states;
}

const zones = z.object({ result: z.array(z.object({ name: z.string() })).nullish() });

/** Where Cloudflare's API is; a test has its own. */
const CLOUDFLARE = 'https://api.cloudflare.com';

/**
 * Whether Cloudflare takes the token by which cert-manager proves that the domain is ours, and shows it the domain's zone. A token of
 * a user and one of an account are asked the same, which is what cert-manager asks first.
 */
export async function examineToken(
  { cluster, region }: Pick<Target, 'cluster' | 'region'>,
  domain: string,
  api = CLOUDFLARE,
): Promise<Found> {
  const Name = `${namesOf(cluster).parameterRoot}/cloudflare-token`;
  const token = await readSecret(region, Name);
  if (token === undefined) {
    return { state: 'warning', detail: `${Name} is missing: certificates cannot be renewed without it` };
  }
  const response = await fetch(`${api}/client/v4/zones?per_page=50`, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  if (!response.ok) {
    const detail = `Cloudflare refuses the token of ${Name} (${String(response.status)}): make another, and put it there`;
    return { state: 'warning', detail };
  }
  const names = (zones.parse(await response.json()).result ?? []).map(({ name }) => name);
  const zone = names.find((name) => domain === name || domain.endsWith(`.${name}`));
  return zone === undefined
    ? {
        state: 'warning',
        detail: `the token sees no zone of ${domain}: it needs Zone-Zone-Read and Zone-DNS-Edit of it`,
      }
    : { state: 'ok', detail: `Cloudflare takes it, and shows it ${zone}` };
}

async function readSecret(region: string, Name: string): Promise<string | undefined> {
  try {
    const { Parameter } = await new SSMClient({ region }).send(new GetParameterCommand({ Name, WithDecryption: true }));
    return Parameter?.Value;
  } catch (error) {
    if (error instanceof ParameterNotFound) return undefined;
    throw error;
  }
}

/** What this month has cost, and what the schedules come to, beside what the configuration wants to be warned at. */
export async function examineBudget(api: WakeApi, { budget: { monthlyUsd } }: ClusterConfig): Promise<Found> {
  const { month, bySchedules } = await api.request(costAnswer, 'GET', '/cost');
  const usd = (amount: number): string => `$${amount.toFixed(2)}`;
  const detail = `${usd(month.usd)} of ${usd(monthlyUsd)} this month so far; the schedules come to ${usd(bySchedules)}`;
  return { state: month.usd > monthlyUsd || bySchedules > monthlyUsd ? 'warning' : 'ok', detail };
}
