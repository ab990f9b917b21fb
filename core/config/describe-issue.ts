import ipaddr from 'ipaddr.js';
import type * as z from 'zod';
import { didYouMean, ourNameOf } from './did-you-mean';
import type { Problem } from './problem';
import { schemaAt } from './schema-at';
import { asList, meantValue, withoutUnit } from './meant-value';

/** What the validator calls a type, in the words of somebody who edits a file. */
const TYPES: Record<string, string> = {
  array: 'a list, lines that begin with -',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a number',
  object: 'fields below it',
  record: 'fields below it',
  string: 'text',
};

/** What a text of a format looks like, by the validator's name of it. */
const EXAMPLES: Record<string, string> = {
  hostname: 'a host name alone, for example app.example.com',
  email: 'an address, for example you@example.com',
};

/** A value that a template or a shell was to fill in: `${CLUSTER}`, `$REGION`, `<your-ip>`. */
const PLACEHOLDER = /^(\$\{.*\}|\$[A-Za-z_]\w*|<.*>|\{\{.*\}\})$/;

/**
 * What the validator found, in words that a person can act on.
 * @param input the whole configuration, for the value that stands there
 * @param sourceOf how the file writes a value
 */
export function describeIssue(
  issue: z.core.$ZodIssue,
  input: unknown,
  sourceOf: (path: Problem['path']) => string | undefined = () => undefined,
): Problem[] {
  const path = issue.path.filter((part) => typeof part !== 'symbol');
  const found = valueAt(input, path);
  const written = typeof found === 'number' || typeof found === 'boolean' ? sourceOf(path) : undefined;
  const text = written ?? show(found);
  // The address of a webhook is its password.
  const shown = path[1] === 'webhooks' ? text.replace(/(?<=:\/\/[^/"]*\/)[^"]*/g, '…') : text;
  const problem = (message: string): Problem[] => [{ path, message }];
  if (typeof found === 'string' && PLACEHOLDER.test(found)) {
    return problem(`${shown} is a placeholder, and nothing fills it in: write the value itself`);
  }
  const own = issue.message.startsWith('Invalid ') ? undefined : issue.message;
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ path: [...path, key], message: unknownField(key, path) }));
    case 'invalid_value':
      return problem(notAllowed(found, issue.values.map(String)));
    case 'invalid_union':
      return problem(
        notAllowed(
          found,
          issue.errors.flat().flatMap((inner) => (inner.code === 'invalid_value' ? inner.values.map(String) : [])),
        ),
      );
    case 'invalid_type':
      return problem(wrongType(found, shown, issue.expected, path));
    case 'too_small':
    case 'too_big': {
      if (!issue.message.startsWith('Too ')) return problem(`${shown}: ${issue.message}`);
      const bound =
        issue.code === 'too_small'
          ? `${issue.inclusive === false ? 'more than' : 'at least'} ${String(issue.minimum)}`
          : `at most ${String(issue.maximum)}`;
      return problem(`${shown}: use ${bound}`);
    }
    case 'invalid_key':
      return problem(issue.issues.map(({ message }) => message).join('; '));
    case 'invalid_format':
      return problem(
        own === undefined ? invalidFormat(found, issue.format, path) : `${shown}: ${meant(found, path)}${own}`,
      );
    default:
      return problem(`${shown}: ${issue.message}`);
  }
}

/** More of a value (characters) says no more. */
const LONGEST = 120;

/** A value as a file has it, without what may be the password of a URL; JSON knows no `.inf`. */
function show(value: unknown): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'number') return String(value);
  const text = JSON.stringify(value)
    .replace(/(?<=:\/\/)[^/@"]*@/g, '…@')
    .replaceAll(/\p{Cf}/gu, (unseen) => `\\u${unseen.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

/** `did you mean 08:00? `, or nothing. */
function meant(found: unknown, path: Problem['path']): string {
  const value = typeof found === 'string' ? meantValue(found, path) : undefined;
  return value === undefined ? '' : `did you mean ${value}? `;
}

function unknownField(key: string, path: Problem['path']): string {
  const allowed = allowedFields(path);
  if (!allowed) return 'unknown field; remove it';
  const meant = ourNameOf(key, allowed) ?? didYouMean(key, allowed);
  return `unknown field; ${meant === undefined ? '' : `did you mean ${meant}? `}use one of ${allowed.join(', ')}`;
}

function notAllowed(found: unknown, allowed: readonly string[]): string {
  const meant = typeof found === 'string' ? didYouMean(found, allowed) : undefined;
  const hint = meant === undefined ? '' : `did you mean ${meant}? `;
  return `${found === undefined ? 'missing' : JSON.stringify(found)} is not allowed: ${hint}use one of ${allowed.join(', ')}`;
}

function wrongType(found: unknown, shown: string, expected: string, path: Problem['path']): string {
  const wanted = TYPES[expected] ?? expected;
  if (found === undefined) return `missing: give it a value (${wanted})`;
  if (found === null) return `it has no value: give it one (${wanted}), or remove the line`;
  if (expected === 'string') return noText(found, shown, path);
  if (['int', 'number'].includes(expected) && typeof found === 'string') return noNumber(found, shown, wanted, path);
  if (expected === 'boolean' && typeof found === 'string' && /^(yes|no|on|off)$/i.test(found)) {
    return `${shown} is text in YAML 1.2: write ${/^(yes|on)$/i.test(found) ? 'true' : 'false'}`;
  }
  if (expected === 'boolean' && (found === 'true' || found === 'false')) {
    return `${shown} is text: write ${found} without quotes`;
  }
  if (expected === 'array') {
    const list = typeof found === 'string' ? asList(found, path) : undefined;
    return `${shown}: use a list, ${list === undefined ? 'lines that begin with -' : `[${list.join(', ')}]`}`;
  }
  if (expected === 'object') return `${shown}: ${fieldsInstead(found, path)}`;
  if (expected === 'record') return `${shown}: use fields below it, each as name: value`;
  return `${shown}: use ${wanted}`;
}

/** A number or a word of YAML where text is wanted: quotes help only if the text may stand there. */
function noText(found: unknown, shown: string, path: Problem['path']): string {
  if (typeof found === 'object' && found !== null) {
    const [only, ...more] = Object.values(found) as unknown[];
    const what = Array.isArray(found) ? 'brackets' : 'a name';
    return typeof only === 'string' && more.length === 0
      ? `${shown}: write it without ${what}, ${only}`
      : `${shown}: use one text, without ${what}`;
  }
  const read = schemaAt(path)?.safeParse(shown);
  if (read?.success !== false) return `${shown} is not text: put it in quotes, "${shown.replaceAll(`"`, '')}"`;
  return `${shown}: ${meant(shown, path)}${read.error.issues[0]?.message ?? 'use text'}`;
}

function noNumber(found: string, shown: string, wanted: string, path: Problem['path']): string {
  if (/^\d+(\.\d+)?$/.test(found)) return `${shown} is text: write the number without quotes, ${found}`;
  if (/^\d+([_ ,']\d{3})+$/.test(found)) return `${shown}: write the number in one, ${found.replaceAll(/\D/g, '')}`;
  const amount = withoutUnit(found, String(path.at(-1)));
  return amount === undefined
    ? `${shown}: use ${wanted}`
    : `${shown}: write the number without its unit, ${String(amount)}`;
}

/** A field whose colon has no space after it, so that YAML takes the line for text. */
const NO_SPACE = /^[\w-]+:(?!\/\/)\S/;

/** As kubectl writes a taint: `gpu=true:NoSchedule`. */
const TAINT = /^(?<key>[^=:]+)(?:=(?<value>[^:]*))?:(?<effect>\w+)$/;

/** What to write where fields are wanted and something else stands. */
function fieldsInstead(found: unknown, path: Problem['path']): string {
  if (path.length === 0) {
    const spaces = typeof found === 'string' && NO_SPACE.test(found) ? ', with a space after the colon' : '';
    return `write lines of field: value${spaces}, for example region: us-east-1`;
  }
  const { key, value = 'true', effect } = (typeof found === 'string' ? TAINT.exec(found)?.groups : undefined) ?? {};
  if (path.at(-2) === 'taints' && key !== undefined) {
    return `write { key: ${key}, value: "${value}", effect: ${effect ?? ''} }`;
  }
  const allowed = allowedFields(path);
  const hint = typeof found === 'string' && NO_SPACE.test(found) ? 'put a space after the colon, and ' : '';
  if (path.at(-2) === 'webhooks')
    return 'write { name: team, kind: slack }; the address is a secret of its own (docs/page.md)';
  return allowed ? `${hint}use fields below it: ${allowed.join(', ')}` : 'use fields below it';
}

function invalidFormat(found: unknown, format: string, path: Problem['path']): string {
  const [shown, example] = [show(found), EXAMPLES[format]];
  if (example !== undefined) return `${shown}: ${meant(found, path)}use ${example}`;
  const operators = path[0] === 'operatorCidrs';
  const address = /^\s*(\d+\.\d+\.\d+\.\d+)\s*$/.exec(String(found))?.[1];
  if (address !== undefined && ipaddr.IPv4.isValidFourPartDecimal(address)) {
    const range = operators ? `for this one address, write ${address}/32` : `write ${address}/16`;
    return `${shown} has no prefix length: ${range}`;
  }
  const six = String(found).includes('::') ? ' (IPv6 is not supported)' : '';
  const like = operators ? '203.0.113.7/32 (your own address)' : '10.0.0.0/16';
  return `${shown} is no range of IPv4 addresses${six}: ${meant(found, path)}write it as ${like}`;
}

function allowedFields(path: readonly PropertyKey[]): string[] | undefined {
  const object = schemaAt(path) as { shape?: object } | undefined;
  return object?.shape && Object.keys(object.shape);
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[part] : undefined,
    input,
  );
}
