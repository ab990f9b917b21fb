import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Life } from './support/life';
import { poolData } from './support/nodes';

const USERDATA = join(__dirname, '../../userdata');
const LOGIND = 'etc/systemd/logind.conf.d';

const open: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

/** What systemd makes of logind's files on an Ubuntu image with ours, and with what the kubelet may have written before. */
function inhibitDelay(...ours: string[]): string {
  const root = mkdtempSync(join(tmpdir(), 'drowse-logind-'));
  open.push(() => rmSync(root, { recursive: true }));
  const write = (path: string, seconds: number): void => {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), `[Login]\nInhibitDelayMaxSec=${String(seconds)}\n`);
  };
  write('usr/lib/systemd/logind.conf.d/unattended-upgrades-logind-maxdelay.conf', 30);
  write(`${LOGIND}/99-kubelet.conf`, 90);
  for (const file of ours) cpSync(join(USERDATA, 'files', LOGIND, file), join(root, LOGIND, file));
  const merged = execFileSync('systemd-analyze', [`--root=${root}`, 'cat-config', 'systemd/logind.conf'], {
    encoding: 'utf8',
    stdio: 'pipe',
  });
  return [...merged.matchAll(/^InhibitDelayMaxSec=(\d+)$/gm)].at(-1)![1]!;
}

test('logind lets the kubelet put a shutdown off for as long as it needs, whatever Ubuntu says', () => {
  // Without ours it would not: this is what the file is for.
  expect(inhibitDelay()).toBe('30');
  const kubeadm = readFileSync(join(USERDATA, 'templates/seat/kubeadm-init.yaml'), 'utf8');
  const needed = Number(/^shutdownGracePeriod: (\d+)s$/m.exec(kubeadm)![1]);
  expect(Number(inhibitDelay('zz-drowse.conf'))).toBeGreaterThan(needed);
});

test('what the install stage lays out is open to all: systemd complains of units that are not', async () => {
  const life = new Life(poolData());
  open.push(() => life.end());
  const sandbox = await life.replace();
  const run = await sandbox.run(['/opt/drowse/node.sh', 'install', 'gpu', 'digest']);
  expect(run.code).toBe(0);
  const mode = (path: string): string => (statSync(join(sandbox.root, path)).mode & 0o777).toString(8);
  const files = [
    'system/drowse-node.service',
    'system/kubelet.service.d/20-drowse.conf',
    'logind.conf.d/zz-drowse.conf',
  ];
  for (const path of [...files.map((file) => `etc/systemd/${file}`), 'etc/containerd/conf.d/50-nvidia.toml'])
    expect([path, mode(path), mode(join(path, '..'))]).toEqual([path, '644', '755']);
  expect(sandbox.calls).toEqual(expect.arrayContaining(['systemctl enable kubelet.service', 'snap refresh --hold']));
});
