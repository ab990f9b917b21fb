import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Life } from './support/life';
import { poolData } from './support/nodes';

/** A folder for keys, a repository and what apt keeps; short, as gpg's agent listens on a socket in it. */
const folder = mkdtempSync(join(tmpdir(), 'pin-'));
const home = join(folder, 'home');
let life: Life;
beforeAll(async () => {
  mkdirSync(home, { mode: 0o700 });
  life = new Life(poolData());
  await life.replace();
});
afterAll(async () => {
  execFileSync('gpgconf', ['--homedir', home, '--kill', 'all']);
  rmSync(folder, { recursive: true });
  await life.end();
});

function gpg(...words: string[]): Buffer {
  const options = ['--batch', '--quiet', '--homedir', home, '--pinentry-mode', 'loopback', '--passphrase', ''];
  return execFileSync('gpg', [...options, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Makes a key that can sign, and gives its fingerprint. */
function newKey(name: string, expires = 'never', ...more: string[]): string {
  gpg(...more, '--quick-generate-key', `${name} <${name}@example.com>`, 'ed25519', 'sign', expires);
  return fingerprintOf(name);
}

function fingerprintOf(name: string): string {
  return /^fpr:+([0-9A-F]{40}):/m.exec(gpg('--with-colons', '--list-keys', `${name}@example.com`).toString())![1]!;
}

/** What pin_key makes of a file of keys: the keyring, or the reason why there is none. */
async function pin(keys: Buffer, fingerprint: string): Promise<{ reason?: string; keyring: string }> {
  const { sandbox } = life;
  sandbox.write('keys', keys);
  sandbox.removePath('keyring');
  sandbox.environment = { PATH: '/usr/bin:/bin' };
  const sources = ['common', 'install'].map((name) => `source /opt/drowse/lib/${name}.sh`).join('; ');
  const script = `set -o errexit -o nounset -o pipefail; ${sources}; open_scratch; pin_key /keys ${fingerprint} /keyring`;
  const { code, stderr } = await sandbox.run(['-c', script]);
  const reason = /fatal \[(\S+)\]/.exec(stderr)?.[1];
  expect({ code, stderr }).toEqual({ code: reason === undefined ? 0 : 1, stderr });
  return { ...(reason === undefined ? {} : { reason }), keyring: join(sandbox.root, 'keyring') };
}

/** Whether apt takes a repository that this key signed, given the keyring. */
function aptTakes(signer: string, keyring: string): boolean {
  const repository = join(folder, 'repository');
  rmSync(repository, { recursive: true, force: true });
  mkdirSync(repository);
  const packages = '';
  writeFileSync(join(repository, 'Packages'), packages);
  const digest = createHash('sha256').update(packages).digest('hex');
  const release = `Suite: stable\nDate: ${new Date().toUTCString()}\nSHA256:\n ${digest} ${String(packages.length)} Packages\n`;
  writeFileSync(join(repository, 'Release'), release);
  gpg(
    '--yes',
    '--local-user',
    signer,
    '--output',
    join(repository, 'InRelease'),
    '--clearsign',
    join(repository, 'Release'),
  );
  const apt = join(folder, 'apt');
  rmSync(apt, { recursive: true, force: true });
  for (const path of ['lists/partial', 'cache/archives/partial', 'parts'])
    mkdirSync(join(apt, path), { recursive: true });
  writeFileSync(join(apt, 'status'), '');
  writeFileSync(join(apt, 'sources.list'), `deb [signed-by=${keyring}] file://${repository} ./\n`);
  const options = {
    'Dir::Etc::sourcelist': join(apt, 'sources.list'),
    'Dir::Etc::sourceparts': join(apt, 'parts'),
    'Dir::State': apt,
    'Dir::State::status': join(apt, 'status'),
    'Dir::Cache': join(apt, 'cache'),
    'APT::Sandbox::User': 'root',
    'APT::Update::Error-Mode': 'any',
  };
  const words = Object.entries(options).flatMap(([name, value]) => ['--option', `${name}=${value}`]);
  const { status, stdout, stderr } = spawnSync('apt-get', [...words, 'update'], { encoding: 'utf8' });
  if (status !== 0) expect(stdout + stderr).toMatch(/NO_PUBKEY|EXPKEYSIG|not signed|couldn't be verified/);
  return status === 0;
}

test('of a file with two keys apt trusts the pinned one alone', async () => {
  const [pinned, other] = [newKey('pinned'), newKey('other')];
  const both = gpg('--armor', '--export', pinned, other);
  // What the whole file as a keyring would mean: this is what the pin is for.
  writeFileSync(join(folder, 'both.asc'), both);
  expect(aptTakes(other, join(folder, 'both.asc'))).toBe(true);
  for (const file of [both, gpg('--export', other, pinned)]) {
    const { reason, keyring } = await pin(file, pinned);
    expect(reason).toBeUndefined();
    expect([aptTakes(pinned, keyring), aptTakes(other, keyring)]).toEqual([true, false]);
  }
});

test('packages signed by a subkey of the pinned key are taken, as their owners do', async () => {
  const pinned = newKey('with-subkey');
  gpg('--quick-add-key', pinned, 'ed25519', 'sign', 'never');
  const subkey = gpg('--with-colons', '--list-keys', pinned)
    .toString()
    .match(/^fpr:+[0-9A-F]{40}:/gm)!
    .at(-1)!
    .slice(-41, -1);
  const { reason, keyring } = await pin(gpg('--export', pinned), pinned);
  expect(reason).toBeUndefined();
  expect(aptTakes(`${subkey}!`, keyring)).toBe(true);
});

test('a key that carries the pinned one as its subkey is not the pinned one', async () => {
  const owner = newKey('owner');
  gpg('--quick-add-key', owner, 'ed25519', 'sign', 'never');
  const subkey = gpg('--with-colons', '--list-keys', owner)
    .toString()
    .match(/^fpr:+[0-9A-F]{40}:/gm)!
    .at(-1)!
    .slice(-41, -1);
  // gpg exports the owner's key by the name of its subkey.
  expect(gpg('--export', subkey).length).toBeGreaterThan(0);
  expect(await pin(gpg('--export', owner), subkey)).toMatchObject({ reason: 'digest-mismatch' });
});

test('an expired key is refused by name, before apt does it in its own words', async () => {
  const pinned = newKey('expired', '20200201T000000', '--faked-system-time', '20200101T000000');
  expect(await pin(gpg('--export', pinned), pinned)).toMatchObject({ reason: 'signing-key-expired' });
});

test.each([
  ['another key', () => gpg('--export', newKey('foreign'))],
  ['no key at all', () => Buffer.from('<html>moved</html>')],
])('%s is refused', async (_what, keys) => {
  const pinned = 'DE15B14486CD377B9E876E1A234654DA9A296436';
  expect(await pin(keys(), pinned)).toMatchObject({ reason: 'digest-mismatch' });
});
