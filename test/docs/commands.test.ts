import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { kubectlFile } from '../support/kubectl';

const ROOT = join(__dirname, '..', '..');
const DOCUMENTS = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

interface Command {
  file: string;
  command: string;
}

/** What a document tells its reader to run: lines of consoles, and programs named in running text. */
const COMMANDS: Command[] = DOCUMENTS.flatMap((file) => {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const consoles = [...text.matchAll(/^ *```console\n(.*?)^ *```/gms)].flatMap(([, block = '']) =>
    [...block.matchAll(/^ *\$ (.+)$/gm)].map(([, line = '']) => line.replace(/\s+# .*/, '').trim()),
  );
  const inline = [...text.matchAll(/`((?:make|npx|node|aws|kubectl|flux|etcdctl) [^`]+)`/g)].map(([, line = '']) =>
    line.replace(/\s+/g, ' ').trim(),
  );
  return [...new Set([...consoles, ...inline])].map((command) => ({ file, command }));
});

/** Without what a `make` around the tests tells its children. */
const { MAKEFLAGS, MFLAGS, MAKELEVEL, ...env } = process.env;
void [MAKEFLAGS, MFLAGS, MAKELEVEL];
const make = COMMANDS.filter(({ command }) => command.startsWith('make '));
const dry = (command: string) => {
  // A placeholder stands for a file that is there.
  const [, ...words] = command.replaceAll(/examples\/….yaml/g, 'examples/office-hours.yaml').split(' ');
  const args = words.filter((word) => !word.includes('…') && !word.includes('<'));
  return spawnSync('make', ['--dry-run', ...args], { cwd: ROOT, env, encoding: 'utf8' });
};

test('documents tell commands', () => {
  expect(make.length).toBeGreaterThan(10);
  expect(new Set(make.map(({ file }) => file)).size).toBeGreaterThan(3);
});

test.each(make)('$file: $command is a target, and knows each of its variables', ({ command }) => {
  const { status, stderr } = dry(command);
  expect([status, stderr]).toEqual([0, '']);
  const makefile = readFileSync(join(ROOT, 'Makefile'), 'utf8');
  for (const [, variable = ''] of command.matchAll(/ ([A-Z_]+)=/g)) expect(makefile).toContain(`$(${variable})`);
});

test('a target that is not there is noticed', () => {
  expect(dry('make no-such-target').status).toBe(2);
});

/** Cheap enough to be run here; what each prints. The rest runs elsewhere: see the table below. */
test.each([
  ['make help', /^ {2}local +Run a whole life/m],
  ['make schedule CONFIG=examples/office-hours.yaml', /│ wake +│/],
  ['make schedule CONFIG=examples/office-hours.yaml JSON=1', /^\{"events":\[\{/m],
])('%s', (command, printed) => {
  const [program = '', ...args] = command.split(' ');
  const { status, stdout } = spawnSync(program, args, { cwd: ROOT, env, encoding: 'utf8' });
  expect(status).toBe(0);
  expect(stdout).toMatch(printed);
});

/** What runs the rest: a file of tests, and what in it shows that; or why nothing can here. */
const ELSEWHERE: readonly [command: RegExp, file: string, shows: RegExp][] = [
  [/^make local( (KEEP|VERBOSE|AUTH)=1)?$/, 'test/e2e/cluster.ts', /runLocal\(/],
  [/^make local CONFIG=/, 'test/e2e/examples.test.ts', /'--config'/],
  [/^make local FAULT=/, 'test/e2e/interruptions.ts', /fault\(\{ balancer/],
  [/^make local-down$/, 'test/e2e/cluster.ts', /runLocal\(\['down'\]\)/],
  [/^(make (deploy|diff)|npx cdk .*)$/, 'test/e2e/recreation.ts', /deploy/],
  [/^make destroy( DATA=1)?$/, 'test/e2e/recreation.ts', /destroy/],
  [/^npx drowse (status|sleep|wake|keep-awake 3h)( --watch)?$/, 'test/e2e/command.ts', /ask\(\['status'\]\)/],
  [
    /^npx drowse (bootstrap|skip-next sleep|cost|--help|…)$/,
    'test/cli/drowse.test.ts',
    /has an example for every verb/,
  ],
  [
    /^npx drowse (kubeconfig( --tunnel)?|kubectl( --tunnel)? -- get nodes|tunnel|shell seat-0)$/,
    'test/cli/reach.test.ts',
    /the real kubectl gets through/,
  ],
  [/^npx drowse link /, 'test/cli/link.test.ts', /drowse\('link'/],
  [/^npx drowse init --my-ip$/, 'test/cli/init.test.ts', /opens the API to the address/],
  [/^npx drowse deploy$/, 'test/e2e/recreation.ts', /'deploy', '--config'/],
  [/^npx drowse cost --actual$/, 'test/e2e/command.ts', /'cost', '--actual'/],
  [/^make app-deploy$/, 'test/apps/deploy/deploy.test.ts', /app-deploy/],
  [/^make platform-check$/, 'test/platform/build.test.ts', /platform-check/],
  [/^make sbom$/, 'test/platform/sbom.test.ts', /sbom/],
  [/^make platform-render$/, 'test/server/facts.test.ts', /platform-render|generate/],
  [/^make (lab|lab-cache|test-lab)( BOOT=1)?$/, 'test/lab/run.test.ts', /lab/],
  [/^make lab-lock$/, 'test/lab/released.test.ts', /raiseLock/],
  [/^make (bench|format|setup|test(-(unit|nodes|apps|e2e|aws|platform|platform-server))?)$/, 'Makefile', /^test: /m],
  [/^npx tsx scripts\/write-diagram\.ts$/, 'test/stacks/diagram.test.ts', /diagram/],
  [/^make bench-orchestration$/, 'test/docs/cost.test.ts', /bench-orchestration/],
  [/^(etcdctl|etcdutl|etcd|jq) /, 'test/userdata/no-space.test.ts', /blocksOf\('runbook\.md'/],
  [/^aws stepfunctions start-execution/, 'local/run/workflow.ts', /StartExecutionCommand/],
];

/** Needs what no test here has. */
const WHY_NOT: readonly [command: RegExp, why: string][] = [
  [/^aws ec2 get-console-output/, 'the embedded AWS has no consoles'],
  [
    /^aws s3 cp --recursive/,
    'the AWS CLI is not among the packages; what it copies is what the next lines are tried on',
  ],
  [/^aws kms create-grant/, 'the embedded AWS enforces no key policies'],
  [/^aws acm /, 'a certificate is issued once DNS proves the domain, and there is no DNS here'],
  [
    /^kubectl /,
    'needs a cluster: kubectl itself reads it below, as far as to ask for one; what it names is checked, too',
  ],
];

test.each(COMMANDS)('$file: $command is run by a test, or it is said why not', ({ command }) => {
  const here = ['make help', 'make schedule'].includes(command);
  const found = ELSEWHERE.filter(([pattern]) => pattern.test(command));
  const not = WHY_NOT.filter(([pattern]) => pattern.test(command));
  expect([command, Number(here) + found.length + not.length]).toEqual([command, 1]);
  for (const [, file, shows] of found) expect(readFileSync(join(ROOT, file), 'utf8')).toMatch(shows);
});

test('no reason is left over', () => {
  const used = (pattern: RegExp) => COMMANDS.some(({ command }) => pattern.test(command));
  expect([...ELSEWHERE, ...WHY_NOT].map(([pattern]) => pattern).filter((pattern) => !used(pattern))).toEqual([]);
});

/** What the charts make, by namespace. */
const WORKLOADS = new Set(
  readdirSync(join(ROOT, 'lib/platform/facts/releases')).flatMap((file) => {
    const { workloads = [] } = parse(readFileSync(join(ROOT, 'lib/platform/facts/releases', file), 'utf8')) as {
      workloads?: { kind: string; namespace: string; name: string }[];
    };
    return workloads.map(({ kind, namespace, name }) => `${namespace} ${kind.toLowerCase()}/${name}`);
  }),
);
const KINDS: Record<string, string> = {
  deploy: 'deployment',
  ds: 'daemonset',
  daemonset: 'daemonset',
  deployment: 'deployment',
};
const named = COMMANDS.flatMap(({ file, command }) => {
  const [, namespace = '', kind = '', name = ''] = /^kubectl -n (\S+) logs (\w+)\/(\S+)/.exec(command) ?? [];
  return kind === '' || namespace === 'ghibli'
    ? []
    : [{ file, command, workload: `${namespace} ${KINDS[kind] ?? kind}/${name}` }];
});

test('commands look at workloads of the charts', () => {
  expect(named.length).toBeGreaterThan(1);
});

test.each(named)('$file: $command names what its chart makes', ({ workload }) => {
  expect([...WORKLOADS]).toContain(workload);
});

describe('kubectl', () => {
  const folder = mkdtempSync(join(tmpdir(), 'drowse-kubectl-'));
  const kubeconfig = join(folder, 'config');
  beforeAll(() => {
    // Nobody listens on the port of `discard`.
    const text = stringify({
      ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'none' },
      clusters: [{ name: 'none', cluster: { server: 'http://127.0.0.1:9' } }],
      contexts: [{ name: 'none', context: { cluster: 'none', user: 'none' } }],
      users: [{ name: 'none', user: {} }],
    });
    writeFileSync(kubeconfig, text);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** What kubectl says to a command of a document; of a pipe, its first part. */
  function read(command: string): string {
    const [, line = ''] = /^kubectl (.*?)( \| .*)?$/.exec(command) ?? [];
    const words = line
      .replaceAll(/<[\w-]+>|…/g, 'x')
      .replaceAll("'", '')
      .split(' ');
    const options = [`--kubeconfig=${kubeconfig}`, `--cache-dir=${join(folder, 'cache')}`];
    const run = spawnSync(kubectlFile(), [...options, ...words], { cwd: ROOT, encoding: 'utf8' });
    if (run.error) throw run.error;
    return run.stderr;
  }

  /** The last thing that it says once it has understood a command. */
  const UNDERSTOOD = /connection refused|was refused/;
  /** What it says to a command that a text only names, such as `kubectl apply`: it wants to know on what. */
  const NAMED = /must specify|is a required argument|error: USAGE: /;

  const commands = COMMANDS.filter(({ command }) => command.startsWith('kubectl '));

  test.each(commands)('$file: $command is one that kubectl knows', ({ command }) => {
    const said = read(command);
    expect(said).toMatch(/^kubectl [a-z]+( --[\w=-]+)?$/.test(command) ? NAMED : UNDERSTOOD);
    expect(said).not.toMatch(/unknown (flag|command|shorthand)/);
  });

  test.each(['kubectl gett pods', 'kubectl get pods --wide', 'kubectl -n x create token'])('%s is not', (command) => {
    expect(read(command)).not.toMatch(UNDERSTOOD);
  });
});
