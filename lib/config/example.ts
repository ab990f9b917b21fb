import { stringify } from 'yaml';
import { clusterJsonSchema, JSON_SCHEMA_FILE } from '../../core/config/json-schema';
import { complete } from '../../core/config/complete';
import { clusterConfigShape } from '../../core/config/schema';

/** Where the commented example lies in the repository. */
export const EXAMPLE_FILE = 'cluster.example.yaml';

/** The part of a JSON Schema that the example shows. */
interface Schema {
  type?: string;
  description?: string;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  minimum?: number;
  maximum?: number;
  properties?: Record<string, Schema>;
  items?: Schema;
}

const HEADER = `# yaml-language-server: $schema=./${JSON_SCHEMA_FILE}
#
# Every field that cluster.yaml can have, with its default. Copy what you want to change into a file of your own named
# cluster.yaml: without one, these defaults apply. Written by scripts/write-schema.ts from core/config/schema.ts.
`;

/** `cluster.example.yaml`: every field with its default, what it is for, and what it may hold. */
export function exampleConfig(): string {
  const { properties = {} } = clusterJsonSchema() as Schema;
  const defaults = complete(clusterConfigShape.parse({})) as unknown as Record<string, unknown>;
  return `${HEADER}${fields(properties, defaults, '').join('\n')}\n`;
}

function fields(properties: Record<string, Schema>, values: Record<string, unknown>, indent: string): string[] {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const space = indent === '' ? [''] : [];
    return [...space, ...comment(schema, indent), ...field(name, schema, values[name], indent)];
  });
}

function field(name: string, schema: Schema, value: unknown, indent: string): string[] {
  if (schema.properties && isRecord(value) && Object.keys(value).length === 0) {
    return [`${indent}${name}: {}`, ...itemFields(schema.properties, indent)];
  }
  if (schema.properties && isRecord(value)) {
    return [`${indent}${name}:`, ...fields(schema.properties, value, `${indent}  `)];
  }
  const item = schema.items?.properties;
  if (item && Array.isArray(value)) {
    const items = (value as Record<string, unknown>[]).flatMap((one) => listItem(item, one, indent));
    return items.length > 0 ? [`${indent}${name}:`, ...items] : [`${indent}${name}: []`, ...itemFields(item, indent)];
  }
  if (value !== undefined) return [`${indent}${name}: ${inline(value)}`];
  // Not set by default: shown, but commented out.
  const inner = schema.properties ? itemFields(schema.properties, indent) : [];
  return [`${indent}# ${name}:`, ...inner];
}

function listItem(properties: Record<string, Schema>, value: Record<string, unknown>, indent: string): string[] {
  const inner = `${indent}    `;
  const [first = '', ...rest] = fields(properties, value, inner);
  return [`${indent}  - ${first.trimStart()}`, ...rest];
}

/** The fields of something that is not there by default, all commented out. */
function itemFields(properties: Record<string, Schema>, indent: string): string[] {
  return Object.entries(properties).map(
    ([name, schema]) => `${indent}#   ${name}: ${[schema.description, allowed(schema)].filter(Boolean).join('. ')}`,
  );
}

function comment(schema: Schema, indent: string): string[] {
  return [schema.description, allowed(schema)].flatMap((text) => (text ? [`${indent}# ${text}`] : []));
}

function allowed({ enum: values, anyOf, minimum, maximum }: Schema): string {
  const choices = values ?? anyOf?.flatMap((one) => (one.const === undefined ? [] : [one.const]));
  if (choices && choices.length > 0) return `One of ${choices.map(String).join(', ')}`;
  if (minimum !== undefined && maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER) {
    return `From ${String(minimum)} to ${String(maximum)}`;
  }
  return '';
}

function inline(value: unknown): string {
  return stringify(value, { collectionStyle: 'flow', flowCollectionPadding: false, lineWidth: 0 }).trimEnd();
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
