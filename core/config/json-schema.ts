import * as z from 'zod';
import { clusterConfigShape } from './schema';

/** Where the JSON Schema for editors lies in the repository. */
export const JSON_SCHEMA_FILE = 'schemas/cluster.schema.json';

/**
 * The JSON Schema of `cluster.yaml`, with which an editor completes fields and shows what each is for. It says what one
 * field may hold; what fields must hold together is checked before a deployment only.
 */
export function clusterJsonSchema(): object {
  const schema = z.toJSONSchema(clusterConfigShape, { io: 'input', target: 'draft-7', unrepresentable: 'any' });
  return { title: 'A drowse cluster', ...schema };
}
