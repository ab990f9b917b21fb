import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { complete } from '../../core/config/complete';
import { describeIssue } from '../../core/config/describe-issue';
import { canJudge, mayComeOf, mend, type Mended } from '../../core/config/mend';
import type { Path, Surroundings } from '../../core/config/problem';
import { taintGpuPools } from '../../core/config/gpu-taint';
import { calendarOf } from './holidays';
import { platformFolders } from './platform-folders';
import { readYaml } from '../../core/config/read-yaml';
import { type Rule, RULES } from '../../core/config/rules';
import { clusterConfigShape, type ClusterConfig } from '../../core/config/schema';

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

/** What is read if no file is named. */
export const DEFAULT_FILE = join(__dirname, '..', '..', 'cluster.yaml');

/**
 * The file that a command acts on: the one that was named, or `cluster.yaml`; undefined if that is not there, and the defaults
 * apply.
 * @param named path, relative to the current folder
 * @throws InvalidConfig if the named file is not there: a typo must not deploy another cluster
 */
export function configFile(named: string | undefined): string | undefined {
  if (named === undefined) return existsSync(DEFAULT_FILE) ? DEFAULT_FILE : undefined;
  const file = resolve(named);
  if (!existsSync(file)) {
    throw new InvalidConfig(file, ['there is no such file: correct the path, or name none to use cluster.yaml']);
  }
  return file;
}

/**
 * Reads and checks the configuration of a cluster.
 * @param named path of the YAML file; see {@link configFile}
 * @throws InvalidConfig with all problems at once
 */
export function loadConfig(named?: string): ClusterConfig {
  const file = configFile(named);
  return file === undefined ? parseConfig('') : parseConfig(readText(file), file);
}

/** On which cluster a command acts, and by which file: `cluster drowse in us-east-1, from cluster.yaml`. */
export function describeTarget({ name, region }: ClusterConfig, named?: string, account?: string): string {
  const file = configFile(named);
  const source = file === undefined ? 'by the defaults, as there is no cluster.yaml' : `from ${shownPath(file)}`;
  return `cluster ${name} in ${region}${account === undefined ? '' : ` of account ${account}`}, ${source}`;
}

/** A file as people look for it: from the current folder if it is in there. */
export function shownPath(file: string): string {
  const path = relative('', file);
  return path === '' || path.startsWith('..') ? file : path;
}

function readText(file: string): string {
  const wrong = (message: string) => new InvalidConfig(file, [message]);
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw wrong(code === 'EISDIR' ? 'it is a folder: name the file in it' : `it cannot be read (${message})`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw wrong('it is not UTF-8: save it as UTF-8');
  }
}

/**
 * Checks the text of a `cluster.yaml`; `file` names it in errors, and its folder is where a calendar is looked for, whose days
 * join the holidays. See {@link loadConfig}.
 */
export function parseConfig(text: string, file = 'cluster.yaml', now = new Date()): ClusterConfig {
  const { input, problems: unreadable, lineOf, sourceOf } = readYaml(text);
  if (unreadable.length > 0) throw new InvalidConfig(file, unreadable);
  const read = (value: unknown) => clusterConfigShape.safeParse(value);
  const parsed = read(input);
  const problems = parsed.success ? [] : parsed.error.issues.flatMap((issue) => describeIssue(issue, input, sourceOf));
  const broken = problems.map(({ path }) => path);
  const mended = parsed.success ? undefined : mend(input, broken, read);
  const config = parsed.success ? complete(parsed.data) : mended?.config;
  if (config) problems.push(...rulesBroken(config, { now, platform: platformFolders() }, mended, broken));
  const calendar =
    config && !broken.some(([field]) => field === 'holidays')
      ? calendarOf(config.holidays, dirname(file), now)
      : undefined;
  problems.push(...(calendar?.problems ?? []));
  if (problems.length > 0 || config === undefined) {
    throw new InvalidConfig(
      file,
      problems.map(({ path, message }) => {
        const line = lineOf(path);
        // What stands nowhere in the file is a default that does not go with what does.
        const origin = line === '' && path.length > 0 ? ' (a default)' : '';
        return `${line}${formatPath(path)}${origin}: ${message}`;
      }),
    );
  }
  const { holidays } = config;
  const dates = [...new Set([...holidays.dates, ...(calendar?.holidays ?? []).map(({ date }) => date)])].sort();
  return { ...config, pools: taintGpuPools(config.pools), holidays: { ...holidays, dates } };
}

/** What the rules find; of a mended configuration only what does not come of what was left out. */
function rulesBroken(config: ClusterConfig, surroundings: Surroundings, mended: Mended | undefined, broken: Path[]) {
  const check = (rules: readonly Rule[]) => rules.flatMap((rule) => rule.check(config, surroundings));
  if (!mended) return check(RULES);
  return check(RULES.filter((rule) => canJudge(rule, mended, broken)))
    .map(({ path, message }) => ({ path: mended.inFile(path), message }))
    .filter((problem) => !mayComeOf(problem, broken));
}

/** `pools[0].max` for `['pools', 0, 'max']`. */
function formatPath(path: readonly (string | number)[]): string {
  const text = path
    .map((part) =>
      typeof part === 'number' ? `[${String(part)}]` : part.endsWith(':') ? `[${JSON.stringify(part)}]` : `.${part}`,
    )
    .join('');
  return text.replace(/^\./, '') || '(top level)';
}
