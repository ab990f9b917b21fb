import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawStacks, type DiagramTemplate, withDiagram } from '../lib/diagram';

/**
 * Draws the templates of the default cluster into docs/architecture.md.
 *
 *   npx cdk synth -q -c config=cluster.example.yaml && npx tsx scripts/write-diagram.ts
 */
const ROOT = join(__dirname, '..');
const FILE = join(ROOT, 'docs', 'architecture.md');
const templates = Object.fromEntries(
  ['foundation', 'cluster', 'operations'].map((stack) => {
    const file = join(ROOT, 'cdk.out', `drowse-${stack}.template.json`);
    return [stack, JSON.parse(readFileSync(file, 'utf8')) as DiagramTemplate];
  }),
);
writeFileSync(FILE, withDiagram(readFileSync(FILE, 'utf8'), drawStacks(templates)));
