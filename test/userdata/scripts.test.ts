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
const helpers = ['fakes', 'fakes-disk', 'fakes-etcd', 'fakes-kill', 'fakes-platform', 'support', '.', '..']
  .flatMap((folder) =>
    readdirSync(join(__dirname, folder), { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(__dirname, folder, entry.name)),
  )
  .filter((file) =>
    /^#(!\/(bin\/(ba)?sh|usr\/bin\/env bash)|.*shellcheck shell=bash)/.test(readFileSync(file, 'utf8')),
  );

/** What the lab runs on this machine and in its machines; shims are for `sh`. */
const lab = filesBelow('lab').filter((file) => /^#!\/(usr\/bin\/env bash|bin\/sh)/.test(readFileSync(file, 'utf8')));

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
  expect(lab.length).toBeGreaterThan(10);
  expect(check('shellcheck', lab)).toBe('');
  const disabled = [...filesBelow('userdata'), ...helpers, ...lab].filter((file) =>
    readFileSync(file, 'utf8').includes('shellcheck disable'),
  );
  expect(disabled).toEqual([]);
});

test('shfmt would change nothing', () => {
  const libraries = filesBelow('userdata').filter((file) => file.endsWith('.sh'));
  expect(check('shfmt', ['-i', '2', '-ci', '-d', ...libraries, ...helpers, ...lab])).toBe('');
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

describe('every way to fail', () => {
  const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
  const names = (text: string): string[] => text.match(/\b[A-Z][a-z]+([A-Z][a-z]+)*\b/g) ?? [];
  const pascal = (reason: string): string =>
    reason.replace(/(^|-)([a-z])/g, (_, _dash, letter: string) => letter.toUpperCase());
  /** Reasons that a text gives to `fatal`, or to what ends with it. */
  const reasons = (text: string): string[] => [
    ...[...text.matchAll(/\b(?:api_or_)?fatal ([a-z]+(?:-[a-z0-9]+)+)/g)].map(([, reason]) => reason!),
    ...[...text.matchAll(/\bwait_until (?:'[^']*'|"[^"]*") ([a-z-]+) /g)].map(([, reason]) => reason!),
    ...[...text.matchAll(/\b(?:WAIT_REASON="|run_kubeadm |why=)([a-z]+(?:-[a-z]+)+)/g)].map(([, reason]) => reason!),
  ];
  const library = (name: string): string[] => reasons(read(`userdata/lib/${name}.sh`)).map(pascal);
  const table = [...read('docs/runbook.md').matchAll(/^\| `(\w+)` +\| \S/gm)].map(([, name]) => name!);
  const commands = readdirSync(join(ROOT, 'userdata/commands')).map((file) => {
    const text = read(`userdata/commands/${file}`);
    const header = /^# .*?Errors: ([\s\S]*?)\nset -o/m.exec(text)![1]!.replace(/\(.*?\)/g, '');
    return { file, text, told: names(header) };
  });

  test.each(commands)('$file names its errors in its header', ({ text, told }) => {
    expect(told).toEqual(expect.arrayContaining(reasons(text).map(pascal)));
  });

  test('the runbook knows each error of a command, and no other', () => {
    const own = commands.flatMap(({ told }) => told);
    const common = [...library('aws'), ...library('common'), 'Unexpected'];
    // A restore claims the volume as a boot does.
    const claim = library('volume').filter((name) => name === 'VolumeForeign');
    expect(new Set(table)).toEqual(new Set([...own, ...common, ...claim]));
  });

  test('the page about nodes knows each reason of a failed phase', () => {
    const page = read('docs/nodes.md');
    const node = filesBelow('userdata').filter(
      (file) => !/commands\/|lib\/(platform|command)\.sh|ship-logs|report-api/.test(file),
    );
    const unknown = node
      .flatMap((file) => reasons(readFileSync(file, 'utf8')))
      .filter((reason) => !page.includes(`\`${reason}\``));
    expect(unknown).toEqual([]);
  });
});

test('Python helpers compile', () => {
  for (const file of filesBelow('userdata').filter((one) => one.endsWith('.py'))) {
    execFileSync('python3', ['-c', 'import ast, sys; ast.parse(open(sys.argv[1]).read())', file]);
  }
});
