import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  configFile,
  DEFAULT_FILE,
  describeTarget,
  InvalidConfig,
  loadConfig,
  parseConfig,
} from '../../lib/config/load';

const folder = mkdtempSync(join(tmpdir(), 'drowse-load-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function problemsOf(read: () => unknown): readonly string[] {
  try {
    read();
  } catch (error) {
    if (error instanceof InvalidConfig) return error.problems;
    throw error;
  }
  return [];
}

/** Four levels of ten aliases each: 10,000 values of nine lines. */
const BOMB = [
  'a: &a [1,1,1,1,1,1,1,1,1,1]',
  ...['b', 'c', 'd', 'e'].map(
    (key, at) =>
      `${key}: &${key} [${Array(10)
        .fill(`*${'abcd'[at] ?? ''}`)
        .join(',')}]`,
  ),
].join('\n');

describe('what is no YAML is told by its line, with a remedy', () => {
  test.each<[what: string, yaml: string, problems: string[]]>([
    [
      'an alias of nothing',
      'name: a\npools: *x\n',
      ['line 2: *x stands for nothing: give a value the anchor &x before it'],
    ],
    ['an alias of itself', 'pools: &a [*a]\n', ['line 1: *a stands in what it stands for: write it out']],
    [
      'a merge of what has no fields',
      'name: a\nbudget: { <<: 3 }\n',
      ['line 2: << takes the fields of another value: write <<: *name, with &name before it'],
    ],
    ['aliases that stand for too much', BOMB, ['its aliases (*) stand for too much: write the values out']],
    [
      'two documents',
      'name: a\n---\nname: b\n',
      ['line 2: a second document begins here (---): keep one cluster a file'],
    ],
    ['a tab', 'controlPlane:\n\tseats: 1\n', ['line 2: a tab: indent with spaces']],
    ['a field twice', 'name: a\nregion: us-east-1\nname: b\n', ['line 3: name stands twice: keep one of them']],
    ['a field twice in a pool', 'pools:\n  - name: a\n    name: b\n', ['line 3: name stands twice: keep one of them']],
    [
      'a value that needs quotes',
      'name: @home\n',
      ['line 1: a value that begins with a special character: put it in quotes'],
    ],
    [
      'a colon too many',
      'name: a: b\n',
      ['line 1: a colon too many, or indented too far: put the value in quotes, or align the line'],
    ],
    ['a tag', 'name: !secret b\n', ['line 1: a YAML tag (!): remove it']],
    [
      'an open bracket',
      'name: [\n',
      [
        'line 2: Flow sequence in block collection must be sufficiently indented and end with a ]: check brackets, quotes and indentation',
      ],
    ],
    [
      'two mistakes',
      'name: @a\nregion: us-east-1\n\tzones: [a]\n',
      ['line 1: a value that begins with a special character: put it in quotes', 'line 3: a tab: indent with spaces'],
    ],
  ])('%s', (_what, yaml, problems) => {
    expect(problemsOf(() => parseConfig(yaml))).toEqual(problems);
  });
});

describe('what people write is read', () => {
  test.each([
    ['a byte order mark', '\uFEFFname: home\n'],
    ['Windows’ line ends', '# mine\r\nname: home\r\n'],
    ['an anchor and its alias', 'name: &n home\ntags: { owner: *n }\n'],
    ['one document between marks', '---\nname: home\n...\n'],
  ])('%s', (_what, yaml) => {
    expect(parseConfig(yaml).name).toBe('home');
  });

  test('a merge', () => {
    const pools = [
      'pools:',
      '  - &web { name: web, instanceTypes: [t3.large], ingress: true, min: 1 }',
      '  - { <<: *web, name: jobs, ingress: false }',
    ];
    expect(parseConfig(pools.join('\n')).pools).toMatchObject([
      { name: 'web', instanceTypes: ['t3.large'], ingress: true, min: 1 },
      { name: 'jobs', instanceTypes: ['t3.large'], ingress: false, min: 1 },
    ]);
  });

  test.each(['', '\n', '# nothing\n', '---\n'])('%j means the defaults', (yaml) => {
    expect(parseConfig(yaml)).toEqual(parseConfig('{}'));
  });
});

/** What is wrong with a value, in words that need no knowledge of the program. */
test.each<[yaml: string, problem: string]>([
  ['regoin: eu-west-1', 'line 1: regoin: unknown field; did you mean region? use one of name, region,'],
  [
    'pools:\n  - { name: a, instanceTypes: [t3.large], instancetypes: [t3.large] }',
    'line 2: pools[0].instancetypes: unknown field; did you mean instanceTypes?',
  ],
  ['name: 123', 'line 1: name: 123 is not text: put it in quotes, "123"'],
  ['kubernetes: { version: 1.36 }', 'line 1: kubernetes.version: 1.36 is not text: put it in quotes, "1.36"'],
  [
    'controlPlane: { stateVolumeGiB: "20" }',
    'line 1: controlPlane.stateVolumeGiB: "20" is text: write the number without quotes, 20',
  ],
  ['controlPlane: { diskGiB: big }', 'line 1: controlPlane.diskGiB: "big": use a number'],
  ['controlPlane: { diskGiB: 20.5 }', 'line 1: controlPlane.diskGiB: 20.5: use a whole number'],
  ['idle: { enabled: yes }', 'line 1: idle.enabled: "yes" is text in YAML 1.2: write true'],
  ['idle: { enabled: maybe }', 'line 1: idle.enabled: "maybe": use true or false'],
  ['pools:', 'line 1: pools: it has no value: give it one (a list, lines that begin with -), or remove the line'],
  ['pools: []', 'line 1: pools: []: define at least one pool'],
  ['zones: a', 'line 1: zones: "a": use a list, [a]'],
  ['pools: { name: web }', 'line 1: pools: {"name":"web"}: use a list, lines that begin with -'],
  ['operatorCidrs: 203.0.113.7', 'line 1: operatorCidrs: "203.0.113.7": use a list, [203.0.113.7/32]'],
  ['schedules: [{ days: [monday] }]', 'line 1: schedules[0].days[0]: "monday" is not allowed: did you mean mon? use'],
  ['schedules: [{ timeZone: Berlin }]', 'schedules[0].timeZone: "Berlin": did you mean Europe/Berlin? Otherwise use'],
  ['nodeGroups: []', 'line 1: nodeGroups: unknown field; did you mean pools? use one of name, region,'],
  ['pools: [{ name: a, minSize: 1 }]', 'pools[0].minSize: unknown field; did you mean min? use one of name,'],
  ['controlPlane: { diskGiB: 50Gi }', 'controlPlane.diskGiB: "50Gi": write the number without its unit, 50'],
  ['idle: { enabled: "true" }', 'line 1: idle.enabled: "true" is text: write true without quotes'],
  ['idle: true', 'line 1: idle: true: use fields below it: enabled, afterMinutes, warnMinutes,'],
  [
    "pools: [{ name: a, instanceTypes: [t3.large], taints: ['gpu=true:NoSchedule'] }]",
    'pools[0].taints[0]: "gpu=true:NoSchedule": write { key: gpu, value: "true", effect: NoSchedule }',
  ],
  ['vpcCidr: 10.0.0.0', 'line 1: vpcCidr: "10.0.0.0" has no prefix length: write 10.0.0.0/16'],
  ['region: eu-west-1\n{{ name }}: x', "line 2: brackets where a field's name belongs: fill in what is a placeholder"],
  [
    'apiAccess: tunel',
    'line 1: apiAccess: "tunel" is not allowed: did you mean tunnel? use one of load-balancer, tunnel',
  ],
  [
    'operatorCidrs: [203.0.113.7]',
    'line 1: operatorCidrs[0]: "203.0.113.7" has no prefix length: for this one address, write 203.0.113.7/32',
  ],
  ['budget: { monthlyUsd: 0 }', 'line 1: budget.monthlyUsd: 0: use more than 0'],
  ['budget: { monthlyUsd: .inf }', 'line 1: budget.monthlyUsd: Infinity: use a number'],
  [
    'app: { domain: "https://x.example.com" }',
    'line 1: app.domain: "https://x.example.com": use a host name alone, for example app.example.com',
  ],
  ['notifications: { email: me }', 'line 1: notifications.email: "me": use an address, for example you@example.com'],
  ['vpcCidr: big', 'line 1: vpcCidr: "big" is no range of IPv4 addresses: write it as 10.0.0.0/16'],
  ['just words', '(top level): "just words": write lines of field: value, for example region: us-east-1'],
])('%j', (yaml, problem) => {
  const problems = problemsOf(() => parseConfig(yaml));
  expect(problems.join('\n')).toContain(problem);
});

test.each([
  'https://me:hunter2@github.com/a/b.git',
  'https://hunter2@github.com/a/b.git',
  'ssh://git:hunter2@host/a.git',
])('the secret in %s is refused, and not repeated', (url) => {
  const [problem = ''] = problemsOf(() => parseConfig(`platform: { source: git, git: { url: "${url}" } }`));
  expect(problem).toMatch(/^line 1: platform\.git\.url: ".*…@.*": it holds a password or token: take it out/);
  expect(problem).not.toContain('hunter2');
});

test('a user name in an ssh URL is no secret', () => {
  const { platform } = parseConfig('platform: { source: git, git: { url: "ssh://git@github.com/a/b.git" } }');
  expect(platform.git?.url).toBe('ssh://git@github.com/a/b.git');
});

describe('the file', () => {
  const write = (name: string, content: string | Buffer) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };

  test('a named one that is not there is an error: a typo must not deploy the default cluster', () => {
    const problem = 'there is no such file: correct the path, or name none to use cluster.yaml';
    expect(problemsOf(() => loadConfig(join(folder, 'none.yaml')))).toEqual([problem]);
    expect(problemsOf(() => configFile('no-such-file.yaml'))).toEqual([problem]);
  });

  test('a folder, and what is not UTF-8, are said to be', () => {
    mkdirSync(join(folder, 'home'));
    expect(problemsOf(() => loadConfig(join(folder, 'home')))).toEqual(['it is a folder: name the file in it']);
    const utf16 = write('utf16.yaml', Buffer.from('\uFEFFname: home\n', 'utf16le'));
    expect(problemsOf(() => loadConfig(utf16))).toEqual(['it is not UTF-8: save it as UTF-8']);
  });

  test('every command can say on what it acts', () => {
    const file = write('home.yaml', 'name: home\nregion: eu-west-1\n');
    const config = loadConfig(file);
    expect(describeTarget(config, file, '123456789012')).toMatch(
      /^cluster home in eu-west-1 of account 123456789012, from .*home\.yaml$/,
    );
    // Of a checkout, cluster.yaml belongs to whoever works in it.
    const source = configFile(undefined) === undefined ? 'by the defaults, as there is no cluster.yaml' : 'from ';
    expect(configFile(undefined) ?? DEFAULT_FILE).toBe(DEFAULT_FILE);
    expect(describeTarget(parseConfig(''))).toContain(`cluster drowse in us-east-1, ${source}`);
  });
});
