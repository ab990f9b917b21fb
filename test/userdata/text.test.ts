import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const COMMON = join(__dirname, '../../userdata/lib/common.sh');

/** Runs a line of bash with the functions of common.sh. */
function bash(line: string, ...words: string[]): string {
  return execFileSync('bash', ['-c', `source "$1"; shift; ${line}`, 'bash', COMMON, ...words], { encoding: 'utf8' });
}

const quoted = (text: string): unknown => JSON.parse(bash('json_quote out "$1"; printf %s "${out}"', text));

test('every character that bash can hold is itself again as a JSON string', () => {
  const all = Array.from({ length: 0x17e }, (_, i) => String.fromCodePoint(i + 1)).join('');
  expect(quoted(`${all} \\n \\" && € 🐏`)).toBe(`${all} \\n \\" && € 🐏`);
});
