import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const COMMON = join(__dirname, '../../userdata/lib/common.sh');

/** Runs a line of bash with the functions of common.sh. */
function bash(line: string, ...words: string[]): string {
  return execFileSync('bash', ['-c', `source "$1"; shift; ${line}`, 'bash', COMMON, ...words], { encoding: 'utf8' });
}

const quoted = (text: string): unknown => JSON.parse(bash('json_quote out "$1"; printf %s "${out}"', text));

const read = (json: string): string => bash('json_string out "$1" key && printf %s "${out}"', json);

test('every character that bash can hold is itself again as a JSON string', () => {
  const all = Array.from({ length: 0x17e }, (_, i) => String.fromCodePoint(i + 1)).join('');
  expect(quoted(`${all} \\n \\" && € 🐏`)).toBe(`${all} \\n \\" && € 🐏`);
});

test('a string of a JSON document is what a parser makes of it', () => {
  const texts = [
    Array.from({ length: 0x17e }, (_, i) => String.fromCodePoint(i + 1)).join(''),
    ...['', 'plain', '\\', '\\\\"', 'C:\\n\\u0041', '%s %b %d', '"key":"other"', 'a/b', '€ 🐏 &'],
  ];
  for (const text of texts) expect(read(JSON.stringify({ before: '"key', key: text, after: 'x' }))).toBe(text);
  expect(read(' { "key" : "a\\/b\\u00e9\\/" } ')).toBe('a/bé/');
  expect(() => read('{"other":"key"}')).toThrow();
});
