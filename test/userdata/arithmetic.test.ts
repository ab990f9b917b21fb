import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { evaluatedText } from './support/arithmetic';

const USERDATA = join(__dirname, '..', '..', 'userdata');
const scripts = readdirSync(USERDATA, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.sh'));

test('no script lets bash evaluate text: such a value went through a gate, or is a number by what it is', () => {
  expect(scripts.length).toBeGreaterThan(25);
  const files = Object.fromEntries(scripts.map((file) => [file, readFileSync(join(USERDATA, file), 'utf8')]));
  expect(evaluatedText(files).map(({ file, line, what }) => `${file}:${String(line)}: ${what}`)).toEqual([]);
});

const found = (text: string): string[] => evaluatedText({ script: text }).map(({ what }) => what);

/* Each of these runs a command if the value is such as `a[$(id)]`: tried with bash 5.2. */
test.each([
  ['arithmetic', 'f() { local a=$1; ((a > 3)); }'],
  ['a sum', 'f() { local a; a=$(cat file); echo $((a + 1)); }'],
  ['part of a text in a sum', 'read -r free; ((${free% *} > 3))'],
  ['a command within a sum', '(($(cat file) > 3))'],
  ['a comparison of numbers', 'f() { [[ $1 -eq 4 ]]; }'],
  ['a subscript', 'f() { local list=(1 2) n=$1; echo "${list[n]}"; }'],
  ['a subscript that is assigned to', 'f() { local n=$1; list[n]=3; }'],
  ['a subscript of a release', 'f() { local release; read -r release; list[$release]=3; }'],
  ['an offset', 'f() { local n=$1 text=abc; echo "${text:0:n}"; }'],
  ['let', 'f() { local z=$1; let z=z+1; }'],
  ['the name of a variable', 'f() { printf -v "list[$2]" %s x; }'],
  ['a name that a caller makes up', 'f() { json_string "FACTS[$1]" text name; }'],
  ['whether an element is set', 'declare -A map; f() { [[ -v map[$1] ]]; }'],
  ['a value that is a number here and text there', 'f() { n=3; ((n)); }; g() { n=$1; }'],
  ['what is read into a loop', 'while read -r n; do ((n)); done'],
  ['words of a list', 'for n in "$@"; do ((n)); done'],
  ['an array of text under another name', 'f() { local list=(); load_flat list file; }'],
])('%s is found', (_what, text) => {
  expect(found(text)).not.toEqual([]);
});

test.each([
  ['a literal', 'f() { local n=3; ((n > 2)); }'],
  ['a sum of numbers', 'f() { local n=$((SECONDS + 1)); ((n > 2)); }'],
  ['a length', 'f() { local list=("$@"); ((${#list[@]} > 2)); }'],
  ['indices', 'f() { local list=("$@") n; for n in "${!list[@]}"; do echo "${list[n]}"; done; }'],
  ['what a gate let through', 'f() { local n; whole_number n "$1"; ((n > 2)); }'],
  ['the exit code of a command', 'f() { local code=0; g || code=$?; ((code == 0)); }'],
  ['a loop that counts', 'f() { local n; for ((n = 0; n < 3; n++)); do :; done; }'],
  ['a key of a map', 'declare -A map; f() { echo "${map[$1]}"; map[$1]=x; }'],
  ['a map under another name', 'declare -A MAP; f() { local -n map=$1; map[$2]=x; }; load_flat MAP file'],
])('%s is none', (_what, text) => {
  expect(found(text)).toEqual([]);
});
