import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isMap, isNode, isPair, isSeq, LineCounter, parseDocument, type Document } from 'yaml';
import type * as z from 'zod';
import { taintGpuPools } from './gpu-taint';
import { readCalendar } from './holidays';
import { RULES, type Problem } from './rules';
import { clusterConfigShape, type ClusterConfig } from './schema';

/** `cluster.yaml` is wrong. The message lists every problem: line, field, value, and what is allowed. */
export class InvalidConfig extends Error {
  override readonly name = 'InvalidConfig';
  constructor(
    readonly file: string,
    readonly problems: readonly string[],
  ) {
    const count = problems.length === 1 ? '1 problem' : `${String(problems.length)} problems`;
    super(`${file} has ${count}:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
  }
}

/**
 * Reads and checks the configuration of a cluster.
 * @param file path of the YAML file; if there is none, the defaults apply
 * @throws InvalidConfig with all problems at once
 */
export function loadConfig(file = 'cluster.yaml'): ClusterConfig {
  return parseConfig(existsSync(file) ? readFileSync(file, 'utf8') : '', file);
}

/**
 * Checks the text of a `cluster.yaml`; `file` names it in errors, and its folder is where a calendar is looked for, whose days
 * join the holidays. See {@link loadConfig}.
 */
export function parseConfig(text: string, file = 'cluster.yaml', now = new Date()): ClusterConfig {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [syntaxError] = document.errors;
  if (syntaxError) throw new InvalidConfig(file, [syntaxError.message]);

  const input: unknown = document.toJS() ?? {};
  const parsed = clusterConfigShape.safeParse(input);
  const problems = parsed.success ? [] : parsed.error.issues.flatMap((issue) => describeIssue(issue, input));
  const broken = new Set(problems.map(({ path }) => path[0]));
  const config = parsed.success ? parsed.data : defaultsForBroken(input, broken);
  if (config) {
    const rules = RULES.filter(({ uses }) => !uses.some((field) => broken.has(field)));
    problems.push(...rules.flatMap((rule) => rule.check(config)));
  }
  const calendar = config && !broken.has('holidays') ? readCalendar(config.holidays, dirname(file), now) : undefined;
  problems.push(...(calendar?.problems ?? []));
  if (problems.length > 0 || !parsed.success) {
    throw new InvalidConfig(
      file,
      problems.map(({ path, message }) => `${lineOf(document, lines, path)}${formatPath(path)}: ${message}`),
    );
  }
  const { holidays } = parsed.data;
  const dates = [...new Set([...holidays.dates, ...(calendar?.days ?? [])])].sort();
  return { ...parsed.data, pools: taintGpuPools(parsed.data.pools), holidays: { ...holidays, dates } };
}

/** The configuration with each broken top-level field left out, so that the rules over the other fields still run. */
function defaultsForBroken(input: unknown, broken: ReadonlySet<unknown>): ClusterConfig | undefined {
  if (typeof input !== 'object' || input === null) return undefined;
  const sound = Object.fromEntries(Object.entries(input).filter(([key]) => !broken.has(key)));
  const parsed = clusterConfigShape.safeParse(sound);
  return parsed.success ? parsed.data : undefined;
}

function describeIssue(issue: z.core.$ZodIssue, input: unknown): Problem[] {
  const path = issue.path.filter((part) => typeof part !== 'symbol');
  const found = valueAt(input, path);
  const shown = found === undefined ? 'missing' : JSON.stringify(found);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ path: [...path, key], message: `unknown field; ${allowedFields(path)}` }));
    case 'invalid_value':
      return [{ path, message: `${shown} is not allowed: use one of ${issue.values.map(String).join(', ')}` }];
    case 'invalid_union': {
      const allowed = issue.errors
        .flat()
        .flatMap((inner) => (inner.code === 'invalid_value' ? inner.values.map(String) : []));
      return [{ path, message: `${shown} is not allowed: use one of ${allowed.join(', ')}` }];
    }
    case 'invalid_type':
      return [
        {
          path,
          message:
            found === undefined
              ? `missing: give a value (${issue.expected})`
              : `${shown} is not of type ${issue.expected}`,
        },
      ];
    case 'too_small':
    case 'too_big': {
      if (!issue.message.startsWith('Too ')) return [{ path, message: `${shown}: ${issue.message}` }];
      const bound =
        issue.code === 'too_small' ? `at least ${String(issue.minimum)}` : `at most ${String(issue.maximum)}`;
      return [{ path, message: `${shown}: use ${bound}` }];
    }
    case 'invalid_key':
      return [{ path, message: issue.issues.map(({ message }) => message).join('; ') }];
    case 'invalid_format':
      return [
        {
          path,
          message: issue.message.startsWith('Invalid ')
            ? `${shown} is not a valid ${issue.format}`
            : `${shown}: ${issue.message}`,
        },
      ];
    default:
      return [{ path, message: `${shown}: ${issue.message}` }];
  }
}

function allowedFields(path: readonly PropertyKey[]): string {
  let schema: unknown = clusterConfigShape;
  for (const part of path) schema = child(unwrap(schema), part);
  const object = unwrap(schema) as { shape?: object } | undefined;
  return object?.shape ? `use one of ${Object.keys(object.shape).join(', ')}` : 'remove it';
}

function unwrap(schema: unknown): unknown {
  let current = schema as { def?: { innerType?: unknown } } | undefined;
  while (current?.def?.innerType) current = current.def.innerType;
  return current;
}

function child(schema: unknown, part: PropertyKey): unknown {
  const node = schema as { shape?: Record<PropertyKey, unknown>; def?: { element?: unknown } } | undefined;
  return typeof part === 'number' ? node?.def?.element : node?.shape?.[part];
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[part] : undefined,
    input,
  );
}

/** `12: ` for the line where the field (or the nearest parent that is written down) stands; empty if none is. */
function lineOf(document: Document, lines: LineCounter, path: readonly (string | number)[]): string {
  for (let length = path.length; length > 0; length--) {
    const offset = offsetOf(document, path.slice(0, length));
    if (offset !== undefined) return `line ${String(lines.linePos(offset).line)}: `;
  }
  return '';
}

function offsetOf(document: Document, path: readonly (string | number)[]): number | undefined {
  const parent: unknown = path.length > 1 ? document.getIn(path.slice(0, -1), true) : document.contents;
  const last = path.at(-1);
  if (isMap(parent)) {
    const pair = parent.items.find((item) => isPair(item) && isNode(item.key) && String(item.key) === String(last));
    return isNode(pair?.key) ? pair.key.range?.[0] : undefined;
  }
  const item = isSeq(parent) ? parent.items[Number(last)] : undefined;
  return isNode(item) ? item.range?.[0] : undefined;
}

/** `pools[0].max` for `['pools', 0, 'max']`. */
function formatPath(path: readonly (string | number)[]): string {
  const text = path.map((part) => (typeof part === 'number' ? `[${String(part)}]` : `.${part}`)).join('');
  return text.replace(/^\./, '') || '(top level)';
}
