import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXAMPLE_FILE, exampleConfig } from '../lib/config/example';
import { ANSWERS_SCHEMA_FILE, answersSchema } from '../cli/drowse/answers';
import { clusterJsonSchema, JSON_SCHEMA_FILE } from '../core/config/json-schema';

/** Writes what follows from the configuration's schema: the JSON Schema for editors, and the commented example; and the schema of what the command answers. */
const ROOT = join(__dirname, '..');
writeFileSync(join(ROOT, JSON_SCHEMA_FILE), `${JSON.stringify(clusterJsonSchema(), null, 2)}\n`);
writeFileSync(join(ROOT, EXAMPLE_FILE), exampleConfig());
writeFileSync(join(ROOT, ANSWERS_SCHEMA_FILE), `${JSON.stringify(answersSchema(), null, 2)}\n`);
