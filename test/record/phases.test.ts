import { readFileSync } from 'node:fs';
import path from 'node:path';
import { phaseOf, PHASES, phaseTimeOf, REASONS, UNKNOWN_REASON } from '../../core/record/phases';
import { ROOT } from '../support/stacks';

const read = (file: string) => readFileSync(path.join(ROOT, 'userdata', file), 'utf8');
const matches = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, found]) => found!);

/** What runs on a node until it is ready: the entry, what it sources, and user data. Commands name errors, not phases. */
const entry = read('node.sh');
const scripts = [
  entry,
  ...matches(entry, /^source "\$\{HERE\}\/(lib\/[a-z-]+\.sh)"$/gm).map(read),
  read('user-data.sh'),
].join('\n');

test('every phase that the scripts go through is on the list, and no other', () => {
  const said = new Set(matches(scripts, /^\s*phase ([a-z-]+)$/gm));
  expect([...said].sort()).toEqual([...PHASES].sort());
});

test('every reason that a node can end with is on the list, and no other', () => {
  const said = new Set(
    [
      /\bfatal ([a-z][a-z-]+) ['"]/g,
      /\bwait_until (?:'[^']*'|"[^"]*") ([a-z][a-z-]+) /g,
      /\bWAIT_REASON="?([a-z][a-z-]+)/g,
      /^why=([a-z-]+)$/gm,
      /\brun_kubeadm ([a-z-]+) (?:init|join)/g,
      /local reason=([a-z]+)$/gm,
    ].flatMap((pattern) => matches(scripts, pattern)),
  );
  // Said by who calls the script wrongly, when there is no phase yet.
  said.delete('usage');
  expect([...said].sort()).toEqual([...REASONS].sort());
});

test.each([
  [undefined, 'booting'],
  ['ready', 'ready'],
  ['failed:gpu-not-visible', 'failed:gpu-not-visible'],
  ['failed:gpu-not-visible; click https://example.com', UNKNOWN_REASON],
  ['failed:', UNKNOWN_REASON],
  ['ready\nSubject: yours', 'booting'],
  ['Dear operator, please run this', 'booting'],
  ['constructor', 'booting'],
])('a tag %j counts as %s', (tag, phase) => {
  expect(phaseOf(tag)).toBe(phase);
});

test.each([
  ['2026-11-30T03:00:00Z', true],
  ['2026-11-30T03:00:00.123Z', true],
  ['2026-13-30T03:00:00Z', false],
  ['yesterday', false],
  ['2026-11-30T03:00:00Z and more', false],
  [undefined, false],
])('a time %j is one: %s', (tag, holds) => {
  expect(phaseTimeOf(tag)).toBe(holds ? tag : undefined);
});
