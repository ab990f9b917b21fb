import type * as z from 'zod';
import { didYouMean, ourNameOf } from './did-you-mean';
import type { Problem } from './problem';
import { clusterConfigShape } from './schema';

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

/**
 * What the validator found, in words that a person can act on.
 * @param input the whole configuration, for the value that stands there
 */
export function describeIssue(issue: z.core.$ZodIssue, input: unknown): Problem[] {
  const path = issue.path.filter((part) => typeof part !== 'symbol');
  const found = valueAt(input, path);
  const shown = show(found);
  const problem = (message: string): Problem[] => [{ path, message }];
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
      return problem(wrongType(found, issue.expected, path));
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
      return problem(own === undefined ? invalidFormat(shown, issue.format, path) : `${shown}: ${own}`);
    default:
      return problem(`${shown}: ${issue.message}`);
  }
}

/** A value as a file has it, without what may be the password of a URL; JSON knows no `.inf`. */
function show(value: unknown): string {
  if (value === undefined) return 'missing';
  return typeof value === 'number' ? String(value) : JSON.stringify(value).replace(/(?<=:\/\/)[^/@"]*@/g, '…@');
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

function wrongType(found: unknown, expected: string, path: Problem['path']): string {
  const wanted = TYPES[expected] ?? expected;
  if (found === undefined) return `missing: give it a value (${wanted})`;
  if (found === null) return `it has no value: give it one (${wanted}), or remove the line`;
  const shown = show(found);
  if (expected === 'string' && typeof found !== 'object')
    return `${shown} is not text: put it in quotes, "${shown.replaceAll(`"`, '')}"`;
  if (['int', 'number'].includes(expected) && typeof found === 'string' && /^\d+(\.\d+)?$/.test(found)) {
    return `${shown} is text: write the number without quotes, ${found}`;
  }
  if (expected === 'boolean' && typeof found === 'string' && /^(yes|no|on|off)$/i.test(found)) {
    return `${shown} is text in YAML 1.2: write ${/^(yes|on)$/i.test(found) ? 'true' : 'false'}`;
  }
  if (expected === 'boolean' && (found === 'true' || found === 'false')) {
    return `${shown} is text: write ${found} without quotes`;
  }
  const amount =
    ['int', 'number'].includes(expected) && typeof found === 'string' ? /^(\d+) ?[A-Za-z]+$/.exec(found) : null;
  if (amount) return `${shown}: write the number without its unit, ${amount[1] ?? ''}`;
  if (expected === 'array' && typeof found !== 'object') {
    const one = shown.replaceAll('"', '');
    return `${shown}: use a list, [${one}${path[0] === 'operatorCidrs' && /^[\d.]+$/.test(one) ? '/32' : ''}]`;
  }
  if (expected === 'object') return `${shown}: ${fieldsInstead(found, path)}`;
  return `${shown}: use ${wanted}`;
}

/** As kubectl writes a taint: `gpu=true:NoSchedule`. */
const TAINT = /^(?<key>[^=:]+)(?:=(?<value>[^:]*))?:(?<effect>\w+)$/;

/** What to write where fields are wanted and something else stands. */
function fieldsInstead(found: unknown, path: Problem['path']): string {
  if (path.length === 0) return 'write lines of field: value, for example region: us-east-1';
  const { key, value = 'true', effect } = (typeof found === 'string' ? TAINT.exec(found)?.groups : undefined) ?? {};
  if (path.at(-2) === 'taints' && key !== undefined) {
    return `write { key: ${key}, value: "${value}", effect: ${effect ?? ''} }`;
  }
  const allowed = allowedFields(path);
  return allowed ? `use fields below it: ${allowed.join(', ')}` : 'use fields below it';
}

function invalidFormat(shown: string, format: string, path: Problem['path']): string {
  const example = EXAMPLES[format];
  if (example !== undefined) return `${shown}: use ${example}`;
  const address = /^"(\d+\.\d+\.\d+\.\d+)"$/.exec(shown)?.[1];
  if (address !== undefined) {
    const range = path[0] === 'operatorCidrs' ? `for this one address, write ${address}/32` : `write ${address}/16`;
    return `${shown} has no prefix length: ${range}`;
  }
  return `${shown} is no range of IPv4 addresses: write it as 10.0.0.0/16`;
}

function allowedFields(path: readonly PropertyKey[]): string[] | undefined {
  let schema: unknown = clusterConfigShape;
  for (const part of path) schema = child(unwrap(schema), part);
  const object = unwrap(schema) as { shape?: object } | undefined;
  return object?.shape && Object.keys(object.shape);
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
