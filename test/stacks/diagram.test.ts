import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawStacks, withDiagram } from '../../lib/diagram';
import { ROOT, synthesize } from '../support/stacks';

test('docs/architecture.md shows what the templates say', () => {
  const page = readFileSync(join(ROOT, 'docs', 'architecture.md'), 'utf8');
  // Out of date: npx cdk synth -q -c config=cluster.example.yaml && npx tsx scripts/write-diagram.ts
  expect(withDiagram(page, drawStacks(synthesize().templates))).toBe(page);
});

test('arrows follow imports, and workflows that start each other', () => {
  const diagram = drawStacks(synthesize().templates);
  for (const arrow of ['cluster --> foundation', 'operations --> cluster', 'operations --> foundation']) {
    expect(diagram).toContain(arrow);
  }
  expect(diagram.match(/-->\|starts\|/g)).toHaveLength(3);
});
