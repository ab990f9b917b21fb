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

const FURTHER = (line: number) =>
  `line ${String(line)}: indented further than the line before, which has its value already: align it with the fields beside it`;

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
    ['an open bracket', 'name: [\n', ['line 1: the [ here is never closed: write ] at its end']],
    [
      'a quote that nothing closes',
      'name: "a\nregion: us-east-1\n',
      ['line 1: the " here is never closed: write " at its end'],
    ],
    [
      'a bracket that nothing closes',
      'zones: [a, b\nname: c\n',
      ['line 1: the [ here is never closed: write ] at its end'],
    ],
    [
      'a comma too few',
      '{"name": "a" "zones": ["a"]}',
      ['line 1: something is left over here: check commas, brackets and quotes'],
    ],
    [
      'a line without its colon',
      'name: a\nregion us-east-1\nzones: [a]\n',
      ['line 2: a line without its colon: write field: value'],
    ],
    ['a field indented too far', 'name: a\ncontrolPlane:\n  seats: 1\n   diskGiB: 40\n', [FURTHER(4)]],
    ['one below a list', 'pools:\n- name: a\n  instanceTypes:\n  - t3.large\n   ingress: true\n', [FURTHER(5)]],
    [
      'a no-break space',
      'name:\u00A0a\nregion: us-east-1\n',
      ['line 1: a no-break space, copied from a web page or a document: type a plain space'],
    ],
    [
      'a conflict of Git',
      'name: a\n<<<<<<< HEAD\nregion: us-east-1\n',
      ['line 2: a conflict of Git is left here: keep one side, and take its marks out'],
    ],
    [
      'an older YAML',
      '%YAML 1.1\n---\nidle: { enabled: yes }\n',
      ['line 1: YAML 1.1: remove this line, it is read as YAML 1.2'],
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
  ['name: 123', 'line 1: name: 123: use lower-case letters, digits and dashes, starting with a letter'],
  ['tags: { cost: 1.30 }', 'line 1: tags.cost: 1.30 is not text: put it in quotes, "1.30"'],
  ['kubernetes: { version: 1.30 }', 'line 1: kubernetes.version: 1.30: use a full version, for example 1.36.2'],
  ['kubernetes: { version: v1.36.2 }', '"v1.36.2": did you mean 1.36.2? use a full version, for example 1.36.2'],
  ['schedules: [{ wake: 8 }]', 'schedules[0].wake: 8: did you mean 08:00? use a time of day as HH:MM, in 24 hours'],
  ['schedules: [{ wake: 8:30 }]', 'schedules[0].wake: "8:30": did you mean 08:30? use a time of day'],
  ['schedules: [{ sleep: 8pm }]', 'schedules[0].sleep: "8pm": did you mean 20:00? use a time of day'],
  ['schedules: [{ sleep: 12am }]', 'schedules[0].sleep: "12am": did you mean 00:00? use a time of day'],
  ['schedules: [{ wake: noon }]', 'schedules[0].wake: "noon": did you mean 12:00? use a time of day'],
  ['schedules: [{ timeZone: PST }]', 'schedules[0].timeZone: "PST": did you mean America/Los_Angeles? Otherwise use'],
  [
    'schedules: [{ timeZone: GMT+1 }]',
    'schedules[0].timeZone: "GMT+1": an offset knows no daylight saving: use an IANA',
  ],
  ['idle: { afterMinutes: 1h }', 'idle.afterMinutes: "1h": write the number without its unit, 60'],
  ['idle: { afterMinutes: 1 fortnight }', 'idle.afterMinutes: "1 fortnight": use a number'],
  ['controlPlane: { diskGiB: 1TB }', 'controlPlane.diskGiB: "1TB": write the number without its unit, 1024'],
  ['snapshots: { keepDailyDays: 2 weeks }', 'keepDailyDays: "2 weeks": write the number without its unit, 14'],
  ['platform: { overlay: platform/clusters/minimal }', '"platform/clusters/minimal": did you mean minimal? use'],
  ['platform: { git: { url: "git@github.com:a/b.git" } }', 'did you mean ssh://git@github.com/a/b.git? use a URL with'],
  [
    'platform: { git: { url: github.com/a/b } }',
    '"github.com/a/b": did you mean https://github.com/a/b? use a URL with',
  ],
  ['app: { domain: "app.example.com:8443" }', 'did you mean app.example.com? use a host name alone'],
  ['app: { image: "registry.example.com/a:latest" }', 'did you mean registry.example.com/a? use a registry'],
  ['notifications: { email: "Me <me@example.com>" }', 'did you mean me@example.com? use an address'],
  ['holidays: { dates: [2026-12-24T00:00:00Z] }', 'did you mean 2026-12-24? use a date as YYYY-MM-DD'],
  ['holidays: { ics: [a.ics, b.ics] }', 'holidays.ics: ["a.ics","b.ics"]: use one text, without brackets'],
  [
    'operatorCidrs: [{ office: 203.0.113.0/24 }]',
    '{"office":"203.0.113.0/24"}: write it without a name, 203.0.113.0/24',
  ],
  ['name: "ho\\u200bme"', String.raw`name: "ho\u200bme": did you mean home? use lower-case letters`],
  ['tags: [a=b]', 'line 1: tags: ["a=b"]: use fields below it, each as name: value'],
  ['name: a\n: 3', 'line 2: a value without the name of its field: write field: value'],
  ['name: a\rregoin: b\r', 'line 2: regoin: unknown field; did you mean region?'],
  ['zones: [' + '['.repeat(3000), 'line 1: too many brackets in each other: write it flatter'],
  ['schedules: [{ days: mon-fri }]', 'schedules[0].days: "mon-fri": use a list, [mon, tue, wed, thu, fri]'],
  ['schedules: [{ days: "Mon, Wednesday" }]', 'schedules[0].days: "Mon, Wednesday": use a list, [mon, wed]'],
  ['schedules: [{ days: weekend }]', 'schedules[0].days: "weekend": use a list, [sat, sun]'],
  ['schedules: [{ days: someday }]', 'schedules[0].days: "someday": use a list, lines that begin with -'],
  ['schedules: weekdays', 'line 1: schedules: "weekdays": use a list, lines that begin with -'],
  ['holidays: { dates: [20261224] }', 'holidays.dates[0]: 20261224: did you mean 2026-12-24? use a date as YYYY-MM-DD'],
  ['zones: [eu-central-1b, A]', 'zones[0]: "eu-central-1b": did you mean b? use the letter of an availability zone'],
  ['name: My Cluster', 'line 1: name: "My Cluster": did you mean my-cluster? use lower-case letters'],
  ['name: “home”', 'line 1: name: "“home”": did you mean home? use lower-case letters'],
  ['name: ${CLUSTER}', 'line 1: name: "${CLUSTER}" is a placeholder, and nothing fills it in: write the value itself'],
  ['name: [home]', 'line 1: name: ["home"]: write it without brackets, home'],
  ['name:home\nregion:us-east-1', 'write lines of field: value, with a space after the colon, for example'],
  [
    'idle:\n  enabled:true',
    'line 1: idle: "enabled:true": put a space after the colon, and use fields below it: enabled,',
  ],
  ['tags: owner', 'line 1: tags: "owner": use fields below it, each as name: value'],
  ['budget: { monthlyUsd: "$100" }', 'budget.monthlyUsd: "$100": write the number without its unit, 100'],
  ['budget: { monthlyUsd: "1,000" }', 'budget.monthlyUsd: "1,000": write the number in one, 1000'],
  ['vpcCidr: 010.1.0.0/16', '"010.1.0.0/16" is no range of IPv4 addresses: did you mean 10.1.0.0/16? write it as'],
  [
    'operatorCidrs: ["2001:db8::/32"]',
    'is no range of IPv4 addresses (IPv6 is not supported): write it as 203.0.113.7/32',
  ],
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
  ['budget: { monthlyUsd: .inf }', 'line 1: budget.monthlyUsd: .inf: use a number'],
  [
    'app: { domain: "https://x.example.com" }',
    'line 1: app.domain: "https://x.example.com": did you mean x.example.com? use a host name alone',
  ],
  ['notifications: { email: me }', 'line 1: notifications.email: "me": use an address, for example you@example.com'],
  ['vpcCidr: big', 'line 1: vpcCidr: "big" is no range of IPv4 addresses: write it as 10.0.0.0/16'],
  ['just words', '(top level): "just words": write lines of field: value, for example region: us-east-1'],
])('%j', (yaml, problem) => {
  const problems = problemsOf(() => parseConfig(yaml));
  expect(problems.join('\n')).toContain(problem);
});

describe('what is wrong is said at once, whatever else is', () => {
  test.each<[what: string, yaml: string, problems: string[]]>([
    [
      'types of instances beside a word that is no number, and beside each other',
      'pools: [{ name: web, instanceTypes: [T3.large, t3.lagre, t3.small, t3_micro, t3.small], min: x, ingress: true }]',
      [
        'instanceTypes[0]: "T3.large": did you mean t3.large?',
        'instanceTypes[3]: "t3_micro": did you mean t3.micro?',
        'min: "x": use a number',
        'instanceTypes[1]: t3.lagre is no instance type',
        'instanceTypes[4]: t3.small is there twice',
      ],
    ],
    [
      'tags beside one that is no text',
      'tags: { "aws:owner": me, n: 5 }',
      ['tags.n: 5 is not text', 'tags.aws:owner: AWS keeps'],
    ],
    [
      'a seat beside an unknown field',
      'controlPlane: { instanceTypes: [t3.nano], size: 3 }',
      ['controlPlane.size: unknown field', 'controlPlane.instanceTypes[0]: t3.nano has'],
    ],
  ])('%s', (_what, yaml, expected) => {
    const problems = problemsOf(() => parseConfig(yaml));
    expect(problems).toEqual(expected.map((problem) => expect.stringContaining(problem) as string));
  });

  /** What stands in for a broken value must not be found wrong itself. */
  test.each([
    [
      'a smallest number that is more than the default of a broken largest',
      'pools: [{ name: a, instanceTypes: [t3.large], min: 3, desired: 3, max: x, ingress: true }]',
    ],
    [
      'types that are not offered in the default region',
      'region: mars\npools: [{ name: a, instanceTypes: [p5e.48xlarge], gpu: true, ingress: true }]',
    ],
    [
      'an address that nobody carries as the field is broken',
      'controlPlane: { ingress: yes }\npools: [{ name: a, instanceTypes: [t3.large] }]',
    ],
    [
      'GPUs of a type that is described wrongly',
      'newInstanceTypes: { g9.xlarge: { vCpus: 4, memoryGiB: 16, gpus: x } }\npools: [{ name: a, instanceTypes: [g9.xlarge], gpu: true, ingress: true }]',
    ],
    [
      'times of a schedule whose time zone is broken',
      'schedules: [{ name: a, days: [mon], wake: "08:00", timeZone: x }, { name: b, days: [mon], sleep: "08:00" }]',
    ],
    ['a list of nothing but broken texts', 'pools: [{ name: a, instanceTypes: [T3], ingress: true }]'],
    ['a file that is a list', '- name: a'],
  ])('%s is no problem of its own', (_what, yaml) => {
    expect(problemsOf(() => parseConfig(yaml))).toHaveLength(1);
  });
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

test('the address of a webhook, which is its password, is not repeated', () => {
  const [problem = ''] = problemsOf(() =>
    parseConfig('notifications: { webhooks: ["https://hooks.slack.com/services/T0/hunter2"] }'),
  );
  expect(problem).toContain(
    'notifications.webhooks[0]: "https://hooks.slack.com/…": write { name: team, kind: slack }; the address is a secret of its own',
  );
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
