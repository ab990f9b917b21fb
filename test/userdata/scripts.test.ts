import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..');

function filesBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Scripts of the nodes, of which the libraries are checked through those that source them, and of the tests. */
const programs = filesBelow('userdata').filter((file) => file.endsWith('.sh') && !file.includes('/lib/'));
const helpers = ['fakes', 'fakes-disk', 'fakes-etcd', 'fakes-kill', 'support', '.']
  .flatMap((folder) =>
    readdirSync(join(__dirname, folder), { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(__dirname, folder, entry.name)),
  )
  .filter((file) =>
    /^#(!\/(bin\/(ba)?sh|usr\/bin\/env bash)|.*shellcheck shell=bash)/.test(readFileSync(file, 'utf8')),
  );

function check(program: string, args: readonly string[]): string {
  const result = spawnSync(program, args, { encoding: 'utf8' });
  if (result.error !== undefined)
    throw new Error(`${program} is not installed: run test/userdata/install-debian-packages.sh`, {
      cause: result.error,
    });
  return result.stdout + result.stderr;
}

test('shellcheck has nothing to say, with no rule excluded', () => {
  expect(programs.length).toBeGreaterThan(8);
  expect(check('shellcheck', ['--external-sources', '--check-sourced', '--source-path=SCRIPTDIR', ...programs])).toBe(
    '',
  );
  expect(check('shellcheck', helpers)).toBe('');
  const disabled = [...filesBelow('userdata'), ...helpers].filter((file) =>
    readFileSync(file, 'utf8').includes('shellcheck disable'),
  );
  expect(disabled).toEqual([]);
});

test('shfmt would change nothing', () => {
  const libraries = filesBelow('userdata').filter((file) => file.endsWith('.sh'));
  expect(check('shfmt', ['-i', '2', '-ci', '-d', ...libraries, ...helpers])).toBe('');
});

test('no subscript was taken for arithmetic when it was formatted', () => {
  const found = filesBelow('userdata').filter((file) => /\[[a-z]+( - [a-z]+)+\]/.test(readFileSync(file, 'utf8')));
  expect(found).toEqual([]);
});

test.each(programs.filter((file) => !file.endsWith('user-data.sh')))(
  '%s sets errexit, nounset and pipefail, and has a header',
  (file) => {
    const text = readFileSync(file, 'utf8');
    expect(text).toMatch(/^#!\/usr\/bin\/env bash\n#\n# \w/);
    expect(text).toContain('\nset -o errexit -o nounset -o pipefail\n');
  },
);

test('no secret is ever an argument', () => {
  const words = /(--token|--user|-u|--password)[ =]"?\$\{?(token|aws_credentials|key)/;
  const found = filesBelow('userdata').filter((file) => words.test(readFileSync(file, 'utf8')));
  expect(found).toEqual([]);
});

test('Python helpers compile', () => {
  for (const file of filesBelow('userdata').filter((one) => one.endsWith('.py'))) {
    execFileSync('python3', ['-c', 'import ast, sys; ast.parse(open(sys.argv[1]).read())', file]);
  }
});
