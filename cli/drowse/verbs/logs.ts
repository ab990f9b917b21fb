import { setTimeout as pause } from 'node:timers/promises';
import {
  CloudWatchLogsClient,
  DescribeLogGroupsCommand,
  FilterLogEventsCommand,
  type FilterLogEventsCommandInput,
  ResourceNotFoundException,
} from '@aws-sdk/client-cloudwatch-logs';
import * as z from 'zod';
import { didYouMean } from '../../../core/config/did-you-mean';
import { functionLogGroup, namesOf, workflowLogGroup } from '../../../core/config/names';
import { parseJson } from '../../../core/parse-json';
import { CommandFailed, EXIT } from '../../terminal/errors';
import { answer } from '../answers';
import { ask } from '../aws';
import { findNodes } from '../find-nodes';
import { count, spanMs } from '../span';
import { type Target, type TargetOptions, targetOf } from '../target';
import { WORKFLOWS } from '../workflows';

export interface LogsOptions extends TargetOptions {
  since: string;
  last: string;
  follow?: boolean;
}

interface Source {
  group: string;
  streams?: string[];
}

interface Line {
  at: string;
  stream: string;
  message: string;
}

const MOST = 10_000;
/** Between two looks (ms). */
const LOOK_MS = 2_000;
/** CloudWatch shows a line some seconds after it came in: a look goes back so far (ms). */
const LATE_MS = 15_000;

/** Prints what a workflow, a step or a node has logged; with `--follow` until Ctrl-C. */
export async function logs(name: string, options: LogsOptions, signal: AbortSignal): Promise<number> {
  const target = targetOf(options);
  const back = spanMs(options.since);
  if (back === undefined) {
    throw new CommandFailed(`--since ${options.since} is no span`, 'For example: 15m, 2h, 1d.', '', EXIT.wrongUse);
  }
  const last = count('--last', options.last, MOST);
  const source = await sourceOf(target, name);
  if (!options.json) console.error(`${source.group} of ${target.description}`);
  const client = new CloudWatchLogsClient({ region: target.region });
  const from = Date.now() - back;
  const events = await read(client, target, source, from, last);
  const shown = new Set(events.map(({ id }) => id));
  const lines = events.map(({ line }) => line);
  if (options.json && !options.follow) answer('logs', lines);
  else lines.forEach(show(options));
  if (!options.json && lines.length === 0) console.error(`Nothing was logged in the last ${options.since}.`);
  while (options.follow) {
    await pause(LOOK_MS, undefined, { signal });
    for (const { id, line } of await read(client, target, source, Date.now() - LATE_MS, MOST)) {
      if (shown.has(id)) continue;
      shown.add(id);
      show(options)(line);
    }
  }
  return EXIT.done;
}

function show({ json }: LogsOptions): (line: Line) => void {
  return (line) => console.log(json ? JSON.stringify(line) : `${line.at} ${describeLine(line.message)}`);
}

/** Where something logs, by what people call it. @throws CommandFailed if there is no such thing */
async function sourceOf(target: Target, name: string): Promise<Source> {
  const names = namesOf(target.cluster);
  if ((WORKFLOWS as readonly string[]).includes(name)) {
    return { group: workflowLogGroup(names.workflow(name)) };
  }
  if (name === 'api') return { group: `/drowse/${target.cluster}/access` };
  // Of an instance that is gone the logs are still there.
  if (/^i-[0-9a-f]+$/.test(name)) return { group: names.nodeLogGroup, streams: [name] };
  const step = name.replace(/(?<=[a-z0-9])[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
  const steps = await stepsOf(target);
  if (steps.includes(step)) return { group: functionLogGroup(names.step(step)) };
  if (/^seat[- ]?\d$/.test(name) || target.config?.pools.some((pool) => pool.name === name) !== false) {
    return { group: names.nodeLogGroup, streams: (await findNodes(target, name)).map(({ id }) => id) };
  }
  throw new CommandFailed(
    `Nothing called ${name} logs`,
    `${meant(name, [...WORKFLOWS, ...steps])}Name a workflow (${WORKFLOWS.join(', ')}), a step of one (wait-for-api or WaitForApi), a node (i-…, seat-0, a pool) or api.`,
    '',
    EXIT.wrongUse,
  );
}

/** `Did you mean wait-for-api? `, if something is near. */
function meant(name: string, known: readonly string[]): string {
  const near = didYouMean(name, known);
  return near === undefined ? '' : `Did you mean ${near}? `;
}

/** Steps of the deployed cluster. */
async function stepsOf({ cluster, region, description }: Target): Promise<string[]> {
  const prefix = functionLogGroup(namesOf(cluster).step(''));
  const client = new CloudWatchLogsClient({ region });
  const found: string[] = [];
  let nextToken: string | undefined;
  do {
    const page = await ask({ description }, () =>
      client.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: prefix, nextToken })),
    );
    found.push(...(page.logGroups ?? []).map(({ logGroupName = '' }) => logGroupName.slice(prefix.length)));
    ({ nextToken } = page);
  } while (nextToken !== undefined);
  return found.sort();
}

/** The newest lines of a span, oldest first. */
async function read(
  client: CloudWatchLogsClient,
  target: Target,
  { group, streams }: Source,
  from: number,
  last: number,
) {
  const input: FilterLogEventsCommandInput = {
    logGroupName: group,
    startTime: from,
    ...(streams && { logStreamNames: streams }),
  };
  const found: { id: string; line: Line }[] = [];
  let nextToken: string | undefined;
  try {
    do {
      const page = await client.send(new FilterLogEventsCommand({ ...input, nextToken }));
      for (const { eventId = '', timestamp = 0, logStreamName: stream = '', message = '' } of page.events ?? []) {
        found.push({
          id: `${eventId} ${stream} ${String(timestamp)} ${message}`,
          line: { at: new Date(timestamp).toISOString(), stream, message: message.trimEnd() },
        });
      }
      ({ nextToken } = page);
    } while (nextToken !== undefined);
  } catch (error) {
    // A node that has not logged yet has no stream; a function that has not run has no group.
    if (error instanceof ResourceNotFoundException) return [];
    await ask(target, () => Promise.reject(error as Error));
  }
  return found.sort((a, b) => a.line.at.localeCompare(b.line.at)).slice(-last);
}

/** A line of a step (Powertools). */
const stepLine = z.looseObject({
  level: z.string(),
  message: z.string(),
  error: z.object({ name: z.string(), message: z.string() }).optional().catch(undefined),
});
/** A line of a workflow (Step Functions). */
const eventLine = z.looseObject({
  type: z.string(),
  details: z
    .looseObject({ name: z.string().optional(), error: z.string().optional(), cause: z.string().optional() })
    .catch({}),
});
/** What each line of a step has, and nobody reads. */
const NOISE = new Set([
  ...['level', 'message', 'error', 'service', 'timestamp', 'cold_start', 'function_arn', 'function_memory_size'],
  ...['function_name', 'function_request_id', 'sampling_rate', 'xray_trace_id', 'cluster', 'execution'],
]);

/** A line as people read it; what is no JSON of ours as it is. */
export function describeLine(message: string): string {
  const json = parseJson(message);
  const step = stepLine.safeParse(json);
  if (step.success) {
    const { level, message: text, error } = step.data;
    const rest = Object.entries(step.data).filter(([key]) => !NOISE.has(key));
    const more = rest.length === 0 ? '' : JSON.stringify(Object.fromEntries(rest));
    return [level, text, error && `${error.name}: ${error.message}`, more].filter(Boolean).join(' ');
  }
  const event = eventLine.safeParse(json);
  if (!event.success) return message;
  const { type, details } = event.data;
  return [type, details.name, details.error, details.cause].filter(Boolean).join(' ');
}
