import type { Life } from './life';
import type { MachineFacts } from './room';

/** What must never be in a journal: all of it goes to CloudWatch Logs. As extended regular expressions of grep. */
const SECRETS = [
  // A bootstrap token; of its kind are names such as kube-apiserver.18a2…, which have no six characters before the dot.
  '(^|[^a-z0-9.-])[a-z0-9]{6}\\.[a-z0-9]{16}([^a-z0-9.-]|$)',
  'PRIVATE KEY|AGE-SECRET-KEY-',
  'eyJ[A-Za-z0-9_-]{16,}\\.',
  '(AKIA|ASIA)[A-Z0-9]{16}',
];
/** A certificate key; the runtime's identifiers have the same form, so only our own unit is asked. */
const CERTIFICATE_KEY = '(^|[^0-9a-f])[0-9a-f]{64}([^0-9a-f]|$)';
/** Digests of public things that are printed on purpose. */
const DIGESTS = 's#("sha256":"|node/|sha256:)[0-9a-f]{64}#\\1digest#g';
/** What a boot complained of at every start before it was mended. */
const COMPLAINTS = 'ETCDCTL_API|world-inaccessible|kubelet service is not enabled|kubelet service does not exist';

/** Looks into every machine: nothing secret and no needless complaint in its journal, and time for the kubelet to end pods. */
export async function checkInside(life: Life, after: string): Promise<void> {
  const machines = [...(await life.running('seat')), ...(await life.running('pool'))];
  const journal = 'journalctl --boot --no-pager --output cat';
  const told = `${journal} --unit drowse-node | grep --quiet 'phase ready' && echo yes`;
  await ask(life, `after ${after}, journals tell of the boot`, machines, told, 'yes');
  const secret =
    `{ ${journal} | grep -Eo ${quoted(SECRETS.join('|'))}; ` +
    `${journal} --unit drowse-node | sed -E ${quoted(DIGESTS)} | grep -Eo ${quoted(CERTIFICATE_KEY)}; } | sort -u | head -3`;
  await ask(life, `after ${after}, no journal holds a token or a key`, machines, secret, '');
  const loud = `${journal} | grep -E ${quoted(COMPLAINTS)} | sort -u | head -3`;
  await ask(life, `after ${after}, journals are quiet`, machines, loud, '');
  // What logind itself says: Ubuntu's own file sorts after the kubelet's, and ours must sort after both.
  const delay =
    'busctl get-property org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager InhibitDelayMaxUSec';
  await ask(life, `after ${after}, logind waits for the kubelet`, machines, delay, 't 120000000');
  const held = 'systemd-inhibit --list --no-legend --no-pager | grep -c "^kubelet .*shutdown.*delay"';
  await ask(life, `after ${after}, the kubelet puts a shutdown off`, machines, held, '1');
}

/** Asks every machine the same, and compares what each prints. */
async function ask(life: Life, what: string, machines: readonly MachineFacts[], script: string, wanted: string) {
  const answers = await Promise.all(
    machines.map(async ({ instanceId }) => {
      const { output } = await life.shell(instanceId, script);
      return { instanceId, said: output.trim() };
    }),
  );
  const others = answers.filter(({ said }) => said !== wanted);
  life.recorder.check(
    what,
    others.length === 0,
    others.map(({ instanceId, said }) => `${instanceId}: ${said}`).join('; '),
  );
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

interface Secret {
  type: string;
  data?: Record<string, string>;
}
interface Lease {
  metadata: { name: string };
  spec: { holderIdentity?: string; acquireTime?: string };
}
interface Pod {
  metadata: { name: string; namespace: string };
  spec: { nodeName?: string };
}

const LEADERS = ['kube-scheduler', 'kube-controller-manager'];
/** A join token lives for half an hour (userdata/commands/mint-join-token.sh). */
const TOKEN_MS = 1_800_000;

/** Looks at the cluster's own objects: tokens that outlive their use, leaders and pods of machines that are gone. */
export async function checkNothingStale(life: Life, after: string): Promise<void> {
  const { cluster, recorder } = life;
  const secrets = await cluster.list<Secret>(['secrets', '--namespace', 'kube-system']);
  const ends = secrets
    .filter(({ type }) => type === 'bootstrap.kubernetes.io/token')
    .map(({ data = {} }) => Buffer.from(data.expiration ?? '', 'base64').toString());
  const long = ends.filter((end) => !(Date.parse(end) < Date.now() + TOKEN_MS));
  recorder.check(`after ${after}, no join token outlives its use`, long.length === 0, long.join(', '));

  const running = [...(await life.running('seat')), ...(await life.running('pool'))].map(
    ({ instanceId }) => instanceId,
  );
  const pods = await cluster.list<Pod>(['pods', '--all-namespaces']);
  const dead = pods.filter(({ spec: { nodeName } }) => nodeName !== undefined && !running.includes(nodeName));
  const names = dead.map(
    ({ metadata: { namespace, name }, spec: { nodeName = '' } }) => `${namespace}/${name} on ${nodeName}`,
  );
  recorder.check(`after ${after}, no pod is shown on a machine that is gone`, dead.length === 0, names.join(', '));

  const seats = await life.running('seat');
  const hosts = new Map(
    await Promise.all(
      seats.map(async (seat) => [(await life.shell(seat.instanceId, 'hostname')).output.trim(), seat] as const),
    ),
  );
  const leases = await cluster.list<Lease>(['leases', '--namespace', 'kube-system']);
  const leaders = leases.filter(({ metadata: { name } }) => LEADERS.includes(name));
  const strangers = leaders.filter(
    ({ spec: { holderIdentity = '' } }) => !hosts.has(holderIdentity.split('_')[0] ?? ''),
  );
  const found = leaders.map(({ metadata: { name }, spec }) => `${name}: ${spec.holderIdentity ?? 'nobody'}`).join(', ');
  recorder.check(
    `after ${after}, seats that run lead`,
    leaders.length === LEADERS.length && strangers.length === 0,
    found,
  );
  for (const { metadata, spec } of leaders) {
    const seat = hosts.get((spec.holderIdentity ?? '').split('_')[0] ?? '');
    if (seat) recorder.led(seat, metadata.name, Date.parse(spec.acquireTime ?? '') / 1000);
  }
}

/** smoke-test passes, and at once again. */
export async function checkSmokeTest(life: Life, after: string): Promise<void> {
  const [seat] = await life.running('seat');
  for (const time of ['', ' at once again']) {
    const { status, output } = await life.command(seat?.instanceId ?? '', 'smoke-test');
    life.recorder.check(`after ${after}, smoke-test passes${time}`, status === 'Success', output);
  }
}

/**
 * etcd with a real alarm, raised by its own interface: the cluster has its quorum all the same, the snapshot before a sleep is taken, and makes
 * room, which ends the alarm.
 */
export async function checkFullEtcd(life: Life): Promise<void> {
  life.heading('etcd is full');
  const [seat] = await life.running('seat');
  const seatId = seat?.instanceId ?? '';
  const pki = '/etc/kubernetes/pki/etcd';
  const client = `--cacert ${pki}/ca.crt --cert ${pki}/healthcheck-client.crt --key ${pki}/healthcheck-client.key`;
  const etcdctl = `etcdctl ${client} --endpoints https://127.0.0.1:2379`;
  // No command raises an alarm; the interface over HTTP does. The member's number is in its answers, in decimal.
  const raised = await life.shell(
    seatId,
    `set -e; url=https://127.0.0.1:2379/v3/maintenance; call="curl --silent --show-error --fail ${client}"
     member=$($call -d '{}' "$url/status" | jq --raw-output .header.member_id)
     $call -d "{\\"action\\":\\"ACTIVATE\\",\\"memberID\\":\\"$member\\",\\"alarm\\":\\"NOSPACE\\"}" "$url/alarm"
     ${etcdctl} alarm list`,
  );
  life.recorder.check(
    'the alarm NOSPACE is raised',
    raised.output.includes('alarm:NOSPACE'),
    raised.output + raised.errors,
  );
  const full = await life.command(seatId, 'snapshot-etcd', { Reason: 'sleep' });
  life.recorder.check('a full etcd gives the snapshot before a sleep', full.status === 'Success', full.output);
  const { output } = await life.shell(seatId, `${etcdctl} alarm list`);
  life.recorder.check('which makes room and ends the alarm', output.trim() === '', output);
}
