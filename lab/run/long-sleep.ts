import { execa } from 'execa';
import { readlinkSync } from 'node:fs';
import path from 'node:path';
import { RUNS } from '../cache/paths';
import type { Life } from './life';

const DAYS = 400;
/** Of a machine's disk: what the kubelet shows the API server. */
const CERTIFICATE = 'kubelet/pki/kubelet-client-current.pem';

/**
 * A sleep of 400 days. The clock is the whole machine's and cannot be moved for a lab alone, so what such a sleep does is done instead: the
 * credentials of stopped pool nodes have run out, all join tokens have, and authorities must be good for as long again. A seat makes its own
 * certificates anew at each boot.
 * @throws LifeBroken a workflow ended otherwise than it should
 */
export async function sleepLong(life: Life): Promise<void> {
  const { recorder, session } = life;
  await life.workflow('sleep');
  const stopped = (await session.room.machines()).filter(({ role, state }) => role === 'pool' && state === 'stopped');
  for (const { instanceId } of stopped) {
    const file = path.join(RUNS, String(session.emulator.pid), instanceId, CERTIFICATE);
    // A link to the newest, as the machine sees it.
    await expire(path.join(path.dirname(file), path.basename(readlinkSync(file))));
  }
  await life.workflow('wake');
  await life.checkWhole(`a sleep of ${String(DAYS)} days`, 0);
  const back = (await life.running('pool')).filter(({ instanceId }) =>
    stopped.some((one) => one.instanceId === instanceId),
  );
  const joined = back.filter(({ phases }) => phases.some(({ phase }) => phase === 'waiting-for-token'));
  const found = back.map(({ instanceId, phases }) => `${instanceId}: ${phases.map(({ phase }) => phase).join(', ')}`);
  const all = back.length === stopped.length && joined.length === back.length;
  recorder.check('stopped nodes whose credentials ran out join again', all, found.join('; '));
  const [seat] = await life.running('seat');
  const { output } = await life.shell(seat?.instanceId ?? '', AUTHORITIES);
  recorder.check(`authorities are good for ${String(DAYS)} days more`, output.trim() === '', output);
}

/** Prints the authorities that are not. */
const AUTHORITIES = `cd /etc/kubernetes/pki && for file in ca.crt front-proxy-ca.crt etcd/ca.crt; do
  openssl x509 -noout -checkend ${String(DAYS * 86_400)} -in "$file" >/dev/null || echo "$file"; done`;

/** Puts a certificate that ended yesterday, and its key, in a file's place. */
async function expire(file: string): Promise<void> {
  const script = `openssl ecparam -name prime256v1 -genkey -noout -out "$1"
    openssl req -new -key "$1" -subj /O=system:nodes/CN=system:node:expired |
      openssl x509 -req -signkey "$1" -days -1 >"$1.crt"
    cat "$1.crt" >>"$1"
    rm "$1.crt"`;
  await execa('sh', ['-e', '-c', script, 'sh', file]);
}
