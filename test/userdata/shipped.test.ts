import { bake } from './support/case';
import { Life } from './support/life';
import { seatData } from './support/nodes';

/** What must never be in a log, an answer or an object that is not sealed. */
const SECRETS = {
  'a bootstrap token': /\b[a-z0-9]{6}\.[a-z0-9]{16}\b/,
  'a certificate key': /\b[0-9a-f]{64}\b/,
  'a private key': /PRIVATE KEY|AGE-SECRET-KEY-/,
  'a service account or session token': /\beyJ[A-Za-z0-9_-]{16,}\.|security-token: \S/,
  'an access key': /\b(AKIA|ASIA)[A-Z0-9]{16}\b/,
};

/** Digests of public things that we print on purpose, by what stands before them. */
function withoutDigests(text: string): string {
  return text.replace(/("sha256":"|node\/|sha256:)[0-9a-f]{64}/g, '$1digest');
}

let life: Life;
afterEach(async () => life.end());

test('nothing that is shipped looks like a token, a key or a certificate key', async () => {
  life = new Life(seatData());
  bake(await life.replace(), 'seat');
  const boot = await life.boot();
  expect(boot.code).toBe(0);
  // The journal is what our units, kubeadm and the kubelet write; all of it goes to CloudWatch Logs.
  const shipped: [string, string][] = [['the journal of a first boot', boot.stdout + boot.stderr]];
  const command = async (name: string, ...words: string[]): Promise<void> => {
    const { stdout, stderr } = await life.sandbox.run([`/opt/drowse/commands/${name}.sh`, ...words]);
    shipped.push(
      [`the answer of ${name}`, stdout + stderr],
      [`the log of ${name}`, life.sandbox.read(`run/drowse/${name}.log`)],
    );
  };
  await command('mint-join-token', '--pool', 'gpu', '--instance-ids', 'i-0bbbbbbbbbbbbbbbb');
  await command('snapshot-etcd', '--reason', 'manual');
  await command('collect-diagnostics');
  await life.replace();
  bake(life.sandbox, 'seat');
  const wake = await life.boot();
  expect(wake.code).toBe(0);
  shipped.push(['the journal of a wake', wake.stdout + wake.stderr]);
  for (const [key, object] of Object.entries(life.state.objects)) shipped.push([key, object.toString('latin1')]);
  for (const [what, text] of shipped) {
    for (const [secret, pattern] of Object.entries(SECRETS))
      expect({ what, secret, found: pattern.exec(withoutDigests(text))?.[0] }).toEqual({
        what,
        secret,
        found: undefined,
      });
  }
});
