import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const ROOT = path.join(__dirname, '..', '..');

describe('the start of the command', () => {
  let clone: string;
  const at = (...parts: string[]): string => path.join(clone, ...parts);

  beforeEach(() => {
    clone = mkdtempSync(path.join(tmpdir(), 'drowse-start-'));
    for (const name of [
      'bin',
      'cli',
      'core',
      'lib',
      'lambdas',
      'platform',
      'userdata',
      'package.json',
      'package-lock.json',
    ]) {
      cpSync(path.join(ROOT, name), at(name), { recursive: true });
    }
    symlinkSync(path.join(ROOT, 'node_modules'), at('node_modules'));
  });
  afterEach(() => rmSync(clone, { recursive: true }));

  const drowse = (...args: string[]) =>
    spawnSync(at('bin', 'drowse'), args, { encoding: 'utf8', cwd: tmpdir(), env: { PATH: process.env.PATH ?? '' } });
  const bundles = (): string[] => readdirSync(at('dist', 'drowse')).filter((name) => /^[0-9a-f]{16}$/.test(name));

  test('makes a bundle once, and another when a source has changed', () => {
    expect(drowse('--help')).toMatchObject({
      status: 0,
      stderr: '',
      stdout: expect.stringContaining('wakes it') as string,
    });
    const [first] = bundles();
    expect(drowse('--help').status).toBe(0);
    expect(bundles()).toEqual([first]);

    const source = at('cli', 'drowse', 'program.ts');
    writeFileSync(source, readFileSync(source, 'utf8').replace('wakes it, puts', 'rouses it, puts'));
    expect(drowse('--help').stdout).toContain('rouses it');
    expect(bundles()).toHaveLength(2);
  });

  test('finds the files of its clone from wherever it is called', () => {
    writeFileSync(at('cluster.yaml'), 'name: mine\nplatform: {overlay: nothing-like-it}\n');
    const { status, stderr } = drowse('cost');
    expect([status, stderr]).toEqual([2, expect.stringMatching(/cluster\.yaml has 1 problem:\n.*overlay.*default/)]);
  });

  test('runs its sources where no bundle can be made', () => {
    writeFileSync(at('dist'), '');
    const { status, stdout, stderr } = drowse('--help');
    expect([status, stdout]).toEqual([0, expect.stringContaining('wakes it')]);
    expect(stderr).toMatch(/^drowse starts slowly, as its bundle cannot be made: E/);
  });
});

test.each([
  ['drowse', 250, false],
  ['cost', 1_600, false],
  ['status', 3_000, true],
])('%s loads less than %i KiB, the SDK among them: %s', (entry, kilobytes, sdk) => {
  spawnSync(path.join(ROOT, 'bin', 'drowse'), ['--help']);
  const { digest } = JSON.parse(readFileSync(path.join(ROOT, 'dist/drowse/sources.json'), 'utf8')) as {
    digest: string;
  };
  const folder = path.join(ROOT, 'dist', 'drowse', digest);
  const first = readdirSync(folder).find((name) => name === `${entry}.mjs` || name.startsWith(`${entry}-`)) ?? '';
  const loaded = new Map<string, string>();
  const load = (name: string): void => {
    if (loaded.has(name)) return;
    const text = readFileSync(path.join(folder, name), 'utf8');
    loaded.set(name, text);
    for (const [, next = ''] of text.matchAll(/(?:from|import)"\.\/([^"]+)"/g)) load(next);
  };
  load(first);
  const all = [...loaded.values()].join('');
  expect(Math.round(all.length / 1024)).toBeLessThan(kilobytes);
  expect(all.includes('amz-sdk-invocation-id')).toBe(sdk);
});
