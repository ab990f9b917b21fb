import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXAMPLE_FILE, exampleConfig } from '../../lib/config/example';
import { ANSWERS_SCHEMA_FILE, answersSchema } from '../../cli/drowse/answers';
import { clusterJsonSchema, JSON_SCHEMA_FILE } from '../../core/config/json-schema';
import { loadConfig, parseConfig } from '../../lib/config/load';

const ROOT = join(__dirname, '..', '..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const SHIPPED = [EXAMPLE_FILE, ...readdirSync(join(ROOT, 'examples')).map((name) => `examples/${name}`)];

/** `npx tsx scripts/write-schema.ts` writes both files below. */
test('the JSON Schema is what the configuration’s schema says', () => {
  expect(JSON.parse(read(JSON_SCHEMA_FILE))).toEqual(JSON.parse(JSON.stringify(clusterJsonSchema())));
});

test('the commented example is what the configuration’s schema says', () => {
  expect(read(EXAMPLE_FILE)).toBe(exampleConfig());
});

test('the commented example sets nothing but defaults', () => {
  expect(parseConfig(read(EXAMPLE_FILE))).toEqual(parseConfig(''));
});

test('every field of the configuration has a description', () => {
  const undescribed: string[] = [];
  const walk = (schema: { properties?: object; items?: object; description?: string }, path: string): void => {
    for (const [name, inner] of Object.entries(schema.properties ?? {}) as [string, typeof schema][]) {
      if (inner.properties === undefined && inner.description === undefined) undescribed.push(`${path}${name}`);
      walk(inner, `${path}${name}.`);
    }
    if (schema.items) walk(schema.items, `${path}[].`);
  };
  walk(clusterJsonSchema(), '');
  expect(undescribed).toEqual([]);
});

test.each(SHIPPED)('%s is valid and names its schema', (file) => {
  expect(() => loadConfig(join(ROOT, file))).not.toThrow();
  const [, schema = ''] = /^# yaml-language-server: \$schema=(\S+)$/m.exec(read(file)) ?? [];
  expect(join(file, '..', schema)).toBe(JSON_SCHEMA_FILE);
});

test('the schema of what the command answers is up to date', () => {
  expect(JSON.parse(read(ANSWERS_SCHEMA_FILE))).toEqual(JSON.parse(JSON.stringify(answersSchema())));
});
