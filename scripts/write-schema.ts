import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXAMPLE_FILE, exampleConfig } from '../lib/config/example';
import { clusterJsonSchema, JSON_SCHEMA_FILE } from '../lib/config/json-schema';

/** Writes what follows from the configuration's schema: the JSON Schema for editors, and the commented example. */
const ROOT = join(__dirname, '..');
writeFileSync(join(ROOT, JSON_SCHEMA_FILE), `${JSON.stringify(clusterJsonSchema(), null, 2)}\n`);
writeFileSync(join(ROOT, EXAMPLE_FILE), exampleConfig());
