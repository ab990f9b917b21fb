import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Command } from 'commander';
import { describe as describeProgram } from '../../cli/drowse/program';
import { loadConfig } from '../../lib/config/load';
import { drowse } from '../cli/support';

/** What is wrong with cluster.yaml is told by one loader, and so in the same words whoever reads the file. */

const ROOT = path.join(__dirname, '..', '..');
/** A typo, a rule over several fields, and a file that is no YAML: each kind of message. */
const WRONG = [
  'region: us-est-1\npools: [{name: gpu, instanceTypes: [t3.large], gpu: true, ingress: true}]\n',
  'operatorCidrs: [0.0.0.0/0]\n',
  'name: [\n',
];
/** What each verb needs beside its options to come as far as the configuration. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  logs: ['wake'],
  'keep-awake': ['3h'],
  'skip-next': ['sleep'],
  link: ['Ann'],
  kubectl: ['--', 'get', 'nodes'],
  shell: ['seat-0'],
};
/** They read no cluster.yaml: `init` writes one. */
const OTHERS = new Set(['init', 'completion']);

let folder: string;
const file = () => path.join(folder, 'cluster.yaml');
beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'drowse-loader-'))));
afterEach(() => rmSync(folder, { recursive: true }));

/** What the loader says of a file. */
function messageOf(): string {
  try {
    loadConfig(file());
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('nothing is wrong with it');
}

const verbs = describeProgram(new AbortController().signal, () => undefined).commands.map((verb: Command) =>
  verb.name(),
);

test.each(verbs.filter((verb) => !OTHERS.has(verb)))(
  'drowse %s says what the loader says, before anything else',
  async (verb) => {
    for (const yaml of WRONG) {
      writeFileSync(file(), yaml);
      const { code, out, err } = await drowse(verb, '--config', file(), ...(WORDS[verb] ?? []));
      expect({ code, out, err }).toEqual({ code: 2, out: '', err: `${messageOf()}\n` });
    }
  },
);

test.each([
  ['synth and deploy', ['bin/app.ts']],
  ['make local', ['local/main.ts', 'up', '--config']],
])('so does %s', (_what, [script = '', ...args]) => {
  writeFileSync(file(), WRONG[0]!);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', script, ...args, ...(args.length > 0 ? [file()] : [])],
    { cwd: ROOT, encoding: 'utf8', env: { PATH: process.env.PATH, DROWSE_CONFIG: file() } },
  );
  expect(status).not.toBe(0);
  expect(`${stdout}${stderr}`).toContain(messageOf());
});

test('nobody else reads the file', () => {
  const sources = ['bin', 'cli', 'core', 'lambdas', 'lib', 'local', 'lab', 'scripts', 'sim', 'bench'].flatMap((top) =>
    readdirSync(path.join(ROOT, top), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.includes('node_modules'))
      .map((name) => path.join(top, name)),
  );
  const reading = sources.filter((source) =>
    /\bfrom '.*\/read-yaml'/.test(readFileSync(path.join(ROOT, source), 'utf8')),
  );
  expect(sources.length).toBeGreaterThan(300);
  expect(reading).toEqual(['lib/config/load.ts']);
});
