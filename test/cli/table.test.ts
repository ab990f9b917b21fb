import { tableOf } from '../../cli/terminal/table';

const HEAD = ['node', 'is', ''];
const ROWS = [
  ['i-0a', 'seat 0', '198.51.100.4'],
  ['i-0b', 'gpu', ''],
];
const LIST = 'i-0a\n  is: seat 0\n  198.51.100.4\ni-0b\n  is: gpu';

test.each([
  ['a pipe', {}, false],
  ['a wide terminal', { isTTY: true, columns: 80 }, false],
  ['one that is just wide enough', { isTTY: true, columns: 32 }, false],
  ['one that is a column too narrow', { isTTY: true, columns: 31 }, true],
  ['a terminal without a size', { isTTY: true, columns: 0 }, false],
])('on %s', (_what, out, isList) => {
  const text = tableOf(HEAD, ROWS, { out });
  if (isList) expect(text).toBe(LIST);
  else expect(text).toContain('│ i-0a │ seat 0 │ 198.51.100.4 │');
});

test('two columns are a line each where they do not fit, below their heads', () => {
  const text = tableOf(['an hour', 'USD'], [['Elastic IP', '0.0050']], {
    right: [1],
    out: { isTTY: true, columns: 10 },
  });
  expect(text).toBe('an hour: USD\nElastic IP: 0.0050');
});

test('a column without a name that holds nothing is left out', () => {
  expect(tableOf(['is', ''], [['gpu', '']], { out: {} })).toMatch(/^┌─────┐\n│ is {2}│\n├─────┤\n│ gpu │/);
});

test('colours do not count', () => {
  const green = '\u001b[32mready\u001b[39m';
  expect(tableOf(['is'], [[green]], { out: { isTTY: true, columns: 9 } })).toContain(`│ ${green} │`);
});
