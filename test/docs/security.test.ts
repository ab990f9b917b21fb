import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..');
const PAGE = readFileSync(join(ROOT, 'docs', 'security.md'), 'utf8');
const HEAD = /^\| what holds +\| shown by +\|$/;

/** Rows of the tables that say what holds: the sentence, and what it names as its proof. */
const ROWS = PAGE.split(/\n\n/)
  .filter((block) => HEAD.test(block.split('\n')[0] ?? ''))
  .flatMap((block) => block.split('\n').slice(2))
  .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()))
  .map(([, holds = '', shown = '']) => ({ holds, shown }));

test('the page has its tables', () => {
  expect(ROWS.length).toBeGreaterThan(35);
});

test.each(ROWS)('$holds', ({ holds, shown }) => {
  expect(holds).toMatch(/^\S.+\.$/);
  const [, file = '', name = ''] = /^`([\w./-]+\.(?:test\.ts|py))`: (\S.+)$/.exec(shown) ?? [];
  expect({ shown, there: existsSync(join(ROOT, 'test', file)) }).toEqual({ shown, there: true });
  const text = readFileSync(join(ROOT, 'test', file), 'utf8');
  // As a name: in quotes, or as a function. A longer one that only contains it is another test.
  const names = file.endsWith('.py') ? [`def ${name}(`] : [`'${name}'`, `"${name}"`, `\`${name}\``];
  expect({ name, there: names.some((one) => text.includes(one)) }).toEqual({ name, there: true });
});
