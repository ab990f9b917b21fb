import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { OUT } from '../../local/run/paths';
import { forget, leftBy, type LocalRun, runLocal } from './run-local';

interface RunJson {
  ok: boolean;
  emulator: { name: string; version: string; endpoint: string };
  workflows: {
    name: string;
    status: string;
    seconds: number;
    states: { name: string; enteredAt: string; seconds: number }[];
  }[];
  checks: { after: string; what: string; expected: string; found: string; ok: boolean }[];
  elasticIp: { beforeSleep: string; afterSleep: string; afterWake: string };
  seconds: Record<'setup' | 'deploy' | 'life' | 'total', number>;
}

describe('a whole life on the embedded AWS', () => {
  let run: RunJson;
  let command: LocalRun;
  let guide: string;

  beforeAll(async () => {
    command = runLocal(['up', '--json', '--verbose', '--keep']);
    const { code, stdout, stderr } = await command.ended;
    if (code !== 0) throw new Error(`exit code ${String(code)}\n${stderr}`);
    run = JSON.parse(stdout) as RunJson;
    guide = stderr;
  }, 180_000);
  afterAll(async () => {
    const { stdout } = await runLocal(['down']).ended;
    expect(stdout).toContain(`Stopped the embedded AWS at ${run.emulator.endpoint}.`);
    // Nothing of it outlives its end: no process, no folder.
    expect(leftBy(command)).toEqual([]);
    forget(command);
  });

  it('runs bootstrap, sleep and wake to their ends', () => {
    expect(run.workflows.map(({ name, status }) => `${name} ${status}`)).toEqual([
      'bootstrap SUCCEEDED',
      'sleep SUCCEEDED',
      'wake SUCCEEDED',
    ]);
    expect(run.ok).toBe(true);
  });

  it('finds in AWS what each workflow promises', () => {
    expect(run.checks.filter(({ ok }) => !ok)).toEqual([]);
    const whatAfter = (after: string) => run.checks.filter((check) => check.after === after).map(({ what }) => what);
    expect(whatAfter('sleep')).toEqual([
      'instances that are not terminated',
      'load balancers',
      'Elastic IP still allocated',
      'state volumes present',
      'join tokens left',
      'state of the cluster',
    ]);
    expect(whatAfter('wake')).toEqual(whatAfter('bootstrap'));
    expect(whatAfter('wake')).toContain('platform installed after the nodes were ready');
  });

  it('keeps the Elastic IP', () => {
    const { beforeSleep, afterSleep, afterWake } = run.elasticIp;
    expect(beforeSleep).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    expect([afterSleep, afterWake]).toEqual([beforeSleep, beforeSleep]);
  });

  it('passes through the states in the order of the design', () => {
    const entered = (workflow: string) =>
      run.workflows.find(({ name }) => name === workflow)!.states.map(({ name }) => name);
    const sleep = entered('sleep');
    const order = [
      'CheckTrigger',
      'AcquireLease',
      'RecordSizes',
      'DrainNodes',
      'SnapshotEtcd',
      'VerifySnapshot',
      'StopPools',
      'DeleteStaleNodes',
      'StopSeats',
    ];
    expect(sleep.slice(0, order.length)).toEqual(order);
    expect(sleep.at(-1)).toBe('RecordSuccess');
    const wake = entered('wake');
    expect(wake.indexOf('InstallPlatform')).toBeGreaterThan(wake.indexOf('WaitForNodes'));
  });

  it('writes the same record to local/out/run.json', () => {
    expect(JSON.parse(readFileSync(path.join(OUT, 'run.json'), 'utf8'))).toEqual(run);
  });

  it('prints lines that drive a run that was left up', () => {
    const answers = guide
      .split('\n')
      .filter((line) => line.trim().startsWith('curl '))
      .map(
        (line) =>
          JSON.parse(execFileSync('bash', ['-c', `${line} --silent`]).toString()) as {
            state: string;
            nodes?: unknown[];
          },
      );
    expect(answers).toMatchObject([{ state: 'awake' }, { state: 'awake', message: 'The cluster is awake' }]);
    expect(answers[0]!.nodes).toHaveLength(2);
  });

  it('refuses to leave up a second one', async () => {
    const second = runLocal(['up', '--keep']);
    const { code, stderr } = await second.ended;
    forget(second);
    expect(stderr).toContain(`An embedded AWS was left up already, at ${run.emulator.endpoint}`);
    expect(code).toBe(1);
  });
});
