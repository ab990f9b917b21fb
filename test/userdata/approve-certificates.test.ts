import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bake } from './support/case';
import { Life } from './support/life';
import { seatData } from './support/nodes';

const APPROVE = join(__dirname, '..', '..', 'userdata', 'lib', 'approve.py');
/** Of a seat as EC2 shows it: in a public subnet, with its fixed address beside its own. */
const SEAT = {
  id: 'i-0aaaaaaaaaaaaaaaa',
  state: 'running',
  cluster: 'drowse',
  privateName: 'ip-10-0-0-70.ec2.internal',
  publicName: 'ec2-203-0-113-7.compute-1.amazonaws.com',
  publicIp: '203.0.113.7',
  privateIps: '10.0.0.70,10.0.0.10',
  pool: '',
  minutesUp: 2,
  group: 'drowse-seat-0',
  lifecycle: 'InService',
};
/** A pool node in a private subnet. */
const OTHER = {
  ...SEAT,
  id: 'i-0bbbbbbbbbbbbbbbb',
  pool: 'gpu',
  group: 'drowse-pool-gpu',
  lifecycle: 'Pending:Wait',
  privateName: 'ip-10-0-0-71.ec2.internal',
  publicName: '',
  publicIp: '',
  privateIps: '10.0.0.71',
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'drowse-approve-'));
  execFileSync('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', join(folder, 'key.pem')]);
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A request by openssl: the subject, and alternative names as openssl writes them. */
function requestOf(subject: string, names: string): string {
  const words = ['req', '-new', '-key', join(folder, 'key.pem'), '-subj', subject];
  return execFileSync('openssl', names === '' ? words : [...words, '-addext', `subjectAltName=${names}`]).toString();
}

interface Asked {
  /** By the name of its signer; `kubelet-serving` if absent. */
  signer?: string;
  /** Who the API server says asks. */
  user?: string;
  groups?: string[];
  usages?: string[];
  subject?: string;
  names: string;
  minutesOld?: number;
  approved?: boolean;
  /** So many seconds ago it was approved, and its certificate is there. */
  servedSeconds?: number;
  pem?: string;
}

/** The object as the API server has it. */
function objectOf(asked: Asked, name = 'csr-1') {
  const user = asked.user ?? `system:node:${SEAT.id}`;
  return {
    metadata: {
      name,
      creationTimestamp: new Date(Date.now() - (asked.minutesOld ?? 0) * 60_000).toISOString().replace(/\.\d+Z/, 'Z'),
    },
    spec: {
      signerName: `kubernetes.io/${asked.signer ?? 'kubelet-serving'}`,
      username: user,
      groups: asked.groups ?? ['system:nodes', 'system:authenticated'],
      usages: asked.usages ?? ['digital signature', 'server auth'],
      request: Buffer.from(asked.pem ?? requestOf(asked.subject ?? `/O=system:nodes/CN=${user}`, asked.names)).toString(
        'base64',
      ),
    },
    status: statusOf(asked),
  };
}

function statusOf({ approved, servedSeconds }: Asked) {
  if (servedSeconds !== undefined) {
    const lastUpdateTime = new Date(Date.now() - servedSeconds * 1000).toISOString().replace(/\.\d+Z/, 'Z');
    return { conditions: [{ type: 'Approved', status: 'True', lastUpdateTime }], certificate: 'AAAA' };
  }
  return approved === true ? { conditions: [{ type: 'Approved', status: 'True' }] } : {};
}

/** What a kubelet asks for with the join token of an instance. */
function joining(instance: string, more: Partial<Asked> = {}): Asked {
  return {
    signer: 'kube-apiserver-client-kubelet',
    user: 'system:bootstrap:abcdef',
    groups: [
      'system:bootstrappers',
      'system:bootstrappers:kubeadm:default-node-token',
      `system:bootstrappers:drowse:${instance}`,
      'system:authenticated',
    ],
    usages: ['digital signature', 'client auth'],
    subject: `/O=system:nodes/CN=system:node:${instance}`,
    names: '',
    ...more,
  };
}

/** What the approver makes of each of these requests, given these instances. */
function decide(asked: readonly Asked[], instances: (typeof SEAT)[] = [SEAT, OTHER]): string[] {
  const answers: string[] = asked.map(() => 'not asked for');
  for (const [name, verdict, reason] of decisions(asked, instances))
    if (verdict !== 'retire') answers[Number(name)] = `${verdict!} ${reason!}`.trim();
  return answers;
}

/** The lines of its answer; tokens that are in `retired` are gone. */
function decisions(asked: readonly Asked[], instances: (typeof SEAT)[] = [SEAT, OTHER], retired = ''): string[][] {
  const [requests, rows, groups, gone] = ['requests.json', 'instances', 'groups', 'retired'].map((file) =>
    join(folder, file),
  ) as [string, string, string, string];
  writeFileSync(requests, JSON.stringify({ items: asked.map((one, index) => objectOf(one, String(index))) }));
  const table = (lines: string[][]): string =>
    lines.map((row) => `${row.map((field) => `${field}\x1f`).join('')}\n`).join('');
  const started = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString();
  const fields = instances.map((one) =>
    [one.id, one.state, one.cluster, one.pool, started(one.minutesUp), one.privateName].concat(
      one.publicName,
      one.publicIp,
      one.privateIps,
    ),
  );
  writeFileSync(rows, table(fields));
  writeFileSync(
    groups,
    table(instances.flatMap((one) => (one.lifecycle === '' ? [] : [[one.id, one.lifecycle, one.group]]))),
  );
  writeFileSync(gone, retired);
  const words = ['-I', APPROVE, 'decide', requests, gone, rows, groups, 'drowse'];
  const lines = execFileSync('/usr/bin/python3', words).toString().split('\n');
  return lines.filter((line) => line !== '').map((line) => line.split('\x1f'));
}

const FOREIGN_ADDRESS = 'wait an address that the instance does not have';
const FOREIGN_NAME = 'wait a name that the instance does not have';

/*
 * What a kubelet asks for is every name and address of its Node (addressesToHostnamesAndIPs of pkg/kubelet/certificate): before
 * the cloud controller has been there --node-ip and the node's name; after it what extractIPv4NodeAddresses of
 * cloud-provider-aws found, of which GetNodeAddressesFromNodeIP keeps one internal address, and all names.
 */
const ROWS: readonly [string, Asked, string][] = [
  ['before the cloud controller', { names: `DNS:${SEAT.id},IP:10.0.0.70` }, 'approve'],
  ['after it', { names: `DNS:${SEAT.privateName},DNS:${SEAT.publicName},IP:10.0.0.70,IP:203.0.113.7` }, 'approve'],
  ['both names at once', { names: `DNS:${SEAT.id},DNS:${SEAT.privateName},IP:10.0.0.70,IP:203.0.113.7` }, 'approve'],
  ['the fixed address of the seat', { names: 'IP:10.0.0.10' }, 'approve'],
  [
    'a key of RSA',
    { names: 'IP:10.0.0.70', usages: ['digital signature', 'key encipherment', 'server auth'] },
    'approve',
  ],
  [
    'a node in a private subnet',
    { user: `system:node:${OTHER.id}`, names: `DNS:${OTHER.privateName},IP:10.0.0.71` },
    'approve',
  ],
  ['another node’s address', { names: 'IP:10.0.0.70,IP:10.0.0.71' }, FOREIGN_ADDRESS],
  [
    'a pool node that asks for the seat’s fixed address',
    { user: `system:node:${OTHER.id}`, names: 'IP:10.0.0.10' },
    FOREIGN_ADDRESS,
  ],
  ['a public address that just left', { names: 'IP:10.0.0.70,IP:203.0.113.8' }, FOREIGN_ADDRESS],
  ['an address of nobody', { names: 'IP:0.0.0.0' }, FOREIGN_ADDRESS],
  ['another node’s name', { names: `DNS:${OTHER.privateName},IP:10.0.0.70` }, FOREIGN_NAME],
  ['the API’s name', { names: 'DNS:api.drowse.drowse.internal,IP:10.0.0.70' }, FOREIGN_NAME],
  ['a wildcard', { names: 'DNS:*.ec2.internal' }, FOREIGN_NAME],
  ['a name with a line end in it', { names: `DNS:${SEAT.id}\\n,IP:10.0.0.70` }, FOREIGN_NAME],
  ['a mail address beside', { names: `DNS:${SEAT.id},email:root@example.com` }, FOREIGN_NAME],
  ['a URI beside', { names: `DNS:${SEAT.id},URI:https://example.com` }, FOREIGN_NAME],
  ['nothing', { names: '' }, 'wait neither a name nor an address'],
  [
    'a subject that is another node',
    { names: 'IP:10.0.0.70', subject: `/O=system:nodes/CN=system:node:${OTHER.id}` },
    'wait the subject is not who asks',
  ],
  [
    'masters in the subject',
    { names: 'IP:10.0.0.70', subject: `/O=system:nodes/O=system:masters/CN=system:node:${SEAT.id}` },
    'wait the subject is not who asks',
  ],
  [
    'a client certificate',
    { names: 'IP:10.0.0.70', usages: ['digital signature', 'client auth'] },
    'wait more usages than a kubelet has',
  ],
  ['a person', { user: 'kubernetes-admin', names: 'IP:10.0.0.70' }, 'wait no node of ours asks'],
  [
    'a node named by its DNS name',
    { user: `system:node:${SEAT.privateName}`, names: 'IP:10.0.0.70' },
    'wait no node of ours asks',
  ],
  [
    'who is in no group of nodes',
    { groups: ['system:authenticated'], names: 'IP:10.0.0.70' },
    'wait no node of ours asks',
  ],
  [
    'an instance that EC2 does not show',
    { user: 'system:node:i-0cccccccccccccccc', names: 'IP:10.0.0.70' },
    'wait EC2 knows no such instance',
  ],
  [
    'no request at all',
    { names: '', pem: '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n' },
    'wait the request cannot be read',
  ],
  ['what was decided before', { names: 'IP:10.0.0.70', approved: true }, 'not asked for'],
  ['what its kubelet has given up', { names: 'IP:10.0.0.70', minutesOld: 16 }, 'not asked for'],
];

describe('a request', () => {
  let decisions: string[];
  beforeAll(() => {
    decisions = decide(ROWS.map(([, asked]) => asked));
  });
  test.each(ROWS.map(([name, , expected], index) => ({ name, expected, index })))(
    '$name: $expected',
    ({ index, expected }) => {
      expect(decisions[index]).toBe(expected);
    },
  );
});

/* A node that joins asks for `system:node:<its name>`; kubeadm has the cluster sign that for whoever has any token. */
const JOINS: readonly [string, Asked, (typeof SEAT)[], string][] = [
  ['the instance of the token, while its hook holds it', joining(OTHER.id), [OTHER], 'approve'],
  ['it, as its group puts it into service', joining(OTHER.id), [{ ...OTHER, lifecycle: 'Pending:Proceed' }], 'approve'],
  [
    'an instance that sleep had stopped, and that was just started',
    joining(OTHER.id),
    [{ ...OTHER, lifecycle: 'InService' }],
    'approve',
  ],
  ['a seat that joins in place of a lost one', joining(SEAT.id), [{ ...SEAT, minutesUp: 90 }], 'approve'],
  [
    'a kubelet with a key of RSA',
    joining(OTHER.id, { usages: ['digital signature', 'key encipherment', 'client auth'] }),
    [OTHER],
    'approve',
  ],
  [
    'a seat’s name with the token of a pool node',
    joining(OTHER.id, { subject: `/O=system:nodes/CN=system:node:${SEAT.id}` }),
    [SEAT, OTHER],
    'wait the subject is not who asks',
  ],
  [
    'a group that is not the nodes’',
    joining(OTHER.id, { subject: `/O=system:masters/CN=system:node:${OTHER.id}` }),
    [OTHER],
    'wait the subject is not who asks',
  ],
  [
    'a name beside its own',
    joining(OTHER.id, { names: `DNS:${SEAT.id}` }),
    [OTHER],
    'wait a name in a client certificate',
  ],
  [
    'a token of kubeadm’s default group alone',
    joining(OTHER.id, { groups: ['system:bootstrappers', 'system:bootstrappers:kubeadm:default-node-token'] }),
    [OTHER],
    'wait no node of ours asks',
  ],
  [
    'a token of two instances',
    joining(OTHER.id, {
      groups: [`system:bootstrappers:drowse:${OTHER.id}`, `system:bootstrappers:drowse:${SEAT.id}`],
    }),
    [SEAT, OTHER],
    'wait no node of ours asks',
  ],
  [
    'an instance that has been in service for long',
    joining(OTHER.id),
    [{ ...OTHER, lifecycle: 'InService', minutesUp: 61 }],
    'wait the instance is not being launched',
  ],
  [
    'an instance that its group ends',
    joining(OTHER.id),
    [{ ...OTHER, lifecycle: 'Terminating:Wait' }],
    'wait the instance is not being launched',
  ],
  [
    'an instance of no group',
    joining(OTHER.id),
    [{ ...OTHER, lifecycle: '' }],
    'wait the instance is not being launched',
  ],
  [
    'an instance of another cluster’s group',
    joining(OTHER.id),
    [{ ...OTHER, group: 'other-pool-gpu' }],
    'wait the instance is not being launched',
  ],
  [
    'an instance of another cluster',
    joining(OTHER.id),
    [{ ...OTHER, cluster: 'other' }],
    'wait the instance is not of this cluster, or does not run',
  ],
  ['an instance that is gone', joining(OTHER.id), [], 'wait EC2 knows no such instance'],
  [
    'a certificate to serve with',
    joining(OTHER.id, { usages: ['digital signature', 'server auth'] }),
    [OTHER],
    'wait more usages than a kubelet has',
  ],
  [
    'a node that renews its own, which the cluster signs by itself',
    joining(OTHER.id, { user: `system:node:${OTHER.id}`, groups: ['system:nodes'] }),
    [OTHER],
    'not asked for',
  ],
];

test.each(JOINS)('joining: %s', (_what, asked, instances, expected) => {
  expect(decide([asked], instances)).toEqual([expected]);
});

test('a token gets one certificate: not a second one at once, nor later', () => {
  expect(decide([joining(OTHER.id), joining(OTHER.id)])).toEqual(['approve', 'wait the token has been used']);
  expect(decide([joining(OTHER.id, { approved: true }), joining(OTHER.id)])).toEqual([
    'not asked for',
    'wait the token has been used',
  ]);
  const next = joining(OTHER.id, { user: 'system:bootstrap:fedcba' });
  expect(decide([joining(OTHER.id, { approved: true }), next])).toEqual(['not asked for', 'approve']);
});

test('a token is deleted once its kubelet has had time to take the certificate', () => {
  const served = (seconds: number) => joining(OTHER.id, { servedSeconds: seconds });
  const retire = ['abcdef', 'retire', `join/gpu/${OTHER.id}`];
  expect(decisions([joining(OTHER.id, { approved: true })])).toEqual([]);
  expect(decisions([served(5)])).toEqual([]);
  expect(decisions([served(31)])).toEqual([retire]);
  // It has been deleted already.
  expect(decisions([served(31)], [OTHER], 'abcdef\n')).toEqual([]);
  // Its instance is gone, or a seat’s token lies in no parameter: the token goes all the same.
  expect(decisions([served(31)], [])).toEqual([['abcdef', 'retire', '']]);
  expect(decisions([joining(SEAT.id, { servedSeconds: 31 })])).toEqual([['abcdef', 'retire', '']]);
});

test.each([
  ['of another cluster', { ...SEAT, cluster: 'other' }],
  ['of no cluster', { ...SEAT, cluster: '' }],
  ['that was terminated', { ...SEAT, state: 'terminated', publicIp: '' }],
])('an instance %s gets no certificate', (_, instance) => {
  expect(decide([{ names: 'IP:10.0.0.70' }], [instance])).toEqual([
    'wait the instance is not of this cluster, or does not run',
  ]);
});

describe('on a seat', () => {
  let life: Life;
  beforeEach(async () => {
    life = new Life(seatData());
    bake(await life.replace(), 'seat');
    life.sandbox.write('etc/kubernetes/admin.conf', '');
    life.cloud.instance.publicIp = '203.0.113.7';
  });
  afterEach(async () => life.end());

  async function look(...asked: Asked[]): Promise<{ approved: string[]; log: string }> {
    life.sandbox.write(
      'test/world/requests.json',
      JSON.stringify({ items: asked.map((one, index) => objectOf(one, `csr-${String(index)}`)) }),
    );
    const run = await life.sandbox.run(['/opt/drowse/approve-certificates.sh']);
    expect(run).toMatchObject({ code: 0 });
    expect(life.problems).toEqual([]);
    const approved = [...life.sandbox.read('test/calls').matchAll(/certificate approve (\S+)/g)].map(
      ([, name]) => name!,
    );
    return { approved, log: run.stderr };
  }

  test('signs what EC2 shows, and says why it does not sign the rest', async () => {
    const { approved, log } = await look(
      { names: `DNS:ip-10-0-0-70.ec2.internal,DNS:${SEAT.publicName},IP:10.0.0.70,IP:203.0.113.7` },
      { names: 'IP:10.0.0.99' },
    );
    expect(approved).toEqual(['csr-0']);
    expect(log).toContain('csr-1 stays open: an address that the instance does not have');
  });

  test('signs for a node that joins, and deletes its token and its parameter after that', async () => {
    const { instance } = life.cloud;
    instance.group = { name: 'drowse-pool-gpu', lifecycle: 'Pending:Wait' };
    instance.tags['drowse:pool'] = 'gpu';
    const parameter = `/drowse/drowse/join/gpu/${instance.id}`;
    life.state.parameters[parameter] = { type: 'SecureString', value: '{}' };
    expect(await look(joining(instance.id))).toMatchObject({ approved: ['csr-0'] });
    expect(life.state.parameters).toHaveProperty([parameter]);
    const { approved } = await look(joining(instance.id, { servedSeconds: 60 }));
    expect(approved).toEqual(['csr-0']);
    expect(life.sandbox.read('test/calls')).toContain('delete secret bootstrap-token-abcdef --ignore-not-found');
    expect(life.state.parameters).not.toHaveProperty([parameter]);
  });

  test('a pool node that asks for a seat’s name gets nothing, and its token stays what it was', async () => {
    const { instance } = life.cloud;
    instance.group = { name: 'drowse-pool-gpu', lifecycle: 'Pending:Wait' };
    const { approved, log } = await look(
      joining(instance.id, { subject: `/O=system:nodes/CN=system:node:${OTHER.id}` }),
    );
    expect(approved).toEqual([]);
    expect(log).toContain('csr-0 stays open: the subject is not who asks');
  });

  test('asks EC2 nothing while nobody asks', async () => {
    expect(await look({ names: 'IP:10.0.0.70', approved: true })).toMatchObject({ approved: [] });
    expect(life.sandbox.read('test/calls')).not.toContain('DescribeInstances');
  });

  test('an EC2 that refuses is survived: the next look is not far', async () => {
    life.state.refuse.DescribeInstances = 'RequestLimitExceeded';
    const { approved, log } = await look({ names: 'IP:10.0.0.70' });
    expect(approved).toEqual([]);
    expect(log).toContain('the requests could not be looked at');
  });
});
