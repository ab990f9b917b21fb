import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFault } from './cluster';
import { forget, leftBy, type LocalRun, processesOf, runLocal, startOwnEmulator } from './run-local';

const folder = mkdtempSync(path.join(os.tmpdir(), 'drowse-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('make local, when something is wrong', () => {
  let run: LocalRun;
  afterEach(() => {
    // Whatever happened: no process, and no file.
    expect(leftBy(run)).toEqual([]);
    forget(run);
  });

  it('names each problem of a wrong cluster.yaml, and starts nothing', async () => {
    const config = path.join(folder, 'wrong.yaml');
    writeFileSync(
      config,
      'name: demo\npools:\n  - {name: gpu, instanceTypes: [t3.large], gpu: true, ingress: true, max: 0}\n',
    );
    const { code, stderr } = await (run = runLocal(['up', '--config', config])).ended;
    expect(code).toBe(2);
    expect(stderr).toContain('line 3: pools[0].instanceTypes[0]: t3.large has no NVIDIA GPU');
    expect(stderr).toContain('line 3: pools[0].desired: 1 is not between 0 (min) and 0 (max)');
  });

  it('refuses a port that is in use', async () => {
    const server: Server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const port = String((server.address() as AddressInfo).port);
    const { code, stderr } = await (run = runLocal(['up', '--port', port])).ended;
    server.close();
    expect(code).toBe(1);
    expect(stderr).toContain(`port ${port} on 127.0.0.1 is already in use`);
  });

  it.each(['cdk synth', 'AcquireLease'])('stops everything on Ctrl-C at "%s"', async (moment) => {
    run = runLocal(['up']);
    await run.shown(moment);
    run.kill('SIGINT');
    const { code, stderr } = await run.ended;
    expect(stderr).toContain('Interrupted by SIGINT: everything was stopped and removed.');
    expect(code).toBe(130);
  });

  it('leaves no process behind even when it is killed', async () => {
    run = runLocal(['up']);
    await run.shown('cdk synth');
    run.kill('SIGKILL');
    await run.ended;
    // A bound for what stays: a busy machine takes its time to end them.
    for (let waited = 0; processesOf(run.folder).length > 0 && waited < 1200; waited++) await sleep(100);
    expect(processesOf(run.folder)).toEqual([]);
    // Nobody was left to delete the folder of the emulator.
    for (const left of readdirSync(run.folder)) rmSync(path.join(run.folder, left), { recursive: true });
  });

  it('says so when the embedded AWS dies midway', async () => {
    run = runLocal(['up', '--json']);
    await run.shown('cdk deploy');
    const emulators = processesOf(run.folder).filter((pid) =>
      readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8').includes('drowse_aws'),
    );
    for (const pid of emulators) process.kill(pid, 'SIGKILL');
    const { code, stderr } = await run.ended;
    expect(stderr).toContain('The embedded AWS ended by itself (SIGKILL)');
    expect(code).toBe(1);
  });

  it('compares the disk of a pool with its image before anything is launched', async () => {
    const config = path.join(folder, 'small-disk.yaml');
    const pool =
      '{ name: gpu, instanceTypes: [g4dn.xlarge], market: spot, gpu: true, ingress: true, min: 1, diskGiB: 40 }';
    writeFileSync(config, `pools:\n  - ${pool}\n`);
    const { code, stdout, stderr } = await (run = runLocal(['up', '--config', config])).ended;
    expect(stdout).toContain('bootstrap failed: PrerequisiteMissing');
    expect(stderr).toMatch(
      /ami-0\w{16} has 50 GiB, the disk 40 GiB \(set diskGiB of pool gpu to at least 50, and deploy\)/,
    );
    expect(code).toBe(1);
  });

  it('shows the failed step, its error and the remedy when a workflow fails', async () => {
    const emulator = await startOwnEmulator();
    try {
      const fault = { document: 'install-network', error: 'ManifestRefused', times: 100 };
      await setFault(emulator.endpoint, { command: fault });
      const { code, stdout, stderr } = await (run = runLocal(['up'], { DROWSE_ENDPOINT: emulator.endpoint })).ended;
      expect(code).toBe(1);
      expect(stdout).toContain('bootstrap failed: CommandFailed');
      expect(stderr).toContain('The workflow bootstrap ended as FAILED: CommandFailed');
      expect(stderr).toContain('ManifestRefused');
      expect(stderr).toContain('The states above show where');
    } finally {
      await emulator.stop();
    }
  });
});

describe('the Python packages', () => {
  const install = (env: NodeJS.ProcessEnv, requirements = 'local/requirements.txt') =>
    new Promise<{ code: number | null; stderr: string }>((resolve) => {
      const child = execFile(
        'node',
        ['--import', 'tsx', 'local/python.ts', requirements],
        { env: { ...process.env, ...env } },
        (_error, _out, stderr) => resolve({ code: child.exitCode, stderr }),
      );
    });

  it('says what to install when Python has no venv module', async () => {
    const bin = path.join(folder, 'no-venv');
    mkdirSync(bin);
    writeFileSync(path.join(bin, 'python3'), '#!/bin/sh\necho "No module named venv" >&2\nexit 1\n', { mode: 0o755 });
    const { code, stderr } = await install({
      DROWSE_VENV: path.join(folder, 'venv-a'),
      PATH: `${bin}:${process.env.PATH ?? ''}`,
    });
    expect(code).toBe(1);
    expect(stderr).toContain('Python could not make a virtual environment');
    expect(stderr).toContain('No module named venv');
    expect(stderr).toContain('python3-venv');
  });

  it('says what to check when the packages cannot be had', async () => {
    const { code, stderr } = await install({
      DROWSE_VENV: path.join(folder, 'venv-b'),
      PIP_INDEX_URL: 'http://127.0.0.1:9/simple',
      PIP_RETRIES: '0',
      PIP_TIMEOUT: '2',
      PIP_NO_CACHE_DIR: '1',
    });
    expect(code).toBe(1);
    expect(stderr).toContain('could not be installed');
    expect(stderr).toContain('Check the network');
  });
});
