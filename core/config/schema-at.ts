import type * as z from 'zod';
import { clusterConfigShape } from './schema';

/** What may stand at a path of the configuration, without its default; undefined where nothing may. */
export function schemaAt(path: readonly PropertyKey[]): z.ZodType | undefined {
  let schema: unknown = clusterConfigShape;
  for (const part of path) schema = child(unwrap(schema), part);
  return unwrap(schema) as z.ZodType | undefined;
}

function unwrap(schema: unknown): unknown {
  let current = schema as { def?: { innerType?: unknown } } | undefined;
  while (current?.def?.innerType) current = current.def.innerType;
  return current;
}

function child(schema: unknown, part: PropertyKey): unknown {
  const node = schema as
    { shape?: Record<PropertyKey, unknown>; def?: { element?: unknown; valueType?: unknown } } | undefined;
  return typeof part === 'number' ? node?.def?.element : (node?.shape?.[part] ?? node?.def?.valueType);
}
