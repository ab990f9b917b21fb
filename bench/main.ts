import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { BIN, ROOT } from '../local/run/paths';
import { measureCommand } from './command';
import { measureGhibli } from './ghibli';
import { measureTree } from './memory';
import { measureOrchestration } from './orchestration';
import { measureStatus } from './status';
import { measureSuites } from './suites';

/** Runs of each timed command; the median counts. */
const RUNS = 3;

/** Limits that the figures are held against, from the product's promises. */
const LIMITS = { synthSeconds: 10, lifeSeconds: 60, lifeMiB: 1024, bundleBytes: 1024 * 1024 };

async function main(): Promise<void> {
  const out = mkdtempSync(path.join(os.tmpdir(), 'drowse-bench-'));
  try {
    const env = { PATH: `${BIN}${path.delimiter}${process.env.PATH ?? ''}` };
    const options = { cwd: ROOT, env, stdout: 'ignore', stderr: 'inherit' } as const;
    const smallestApp =
      "const c = require('aws-cdk-lib'); const a = new c.App(); new c.CfnWaitConditionHandle(new c.Stack(a, 'One'), 'Only'); a.synth()";
    note('synth of an app with a single resource (baseline)');
    const baseline = await median(() =>
      execa(
        'cdk',
        ['synth', '--quiet', '--app', `node -e "${smallestApp}"`, '--output', path.join(out, 'empty')],
        options,
      ),
    );
    note('synth of the default cluster');
    const synth = await median(() => execa('cdk', ['synth', '--quiet', '--output', path.join(out, 'cdk')], options));
    note('a whole life on the embedded AWS');
    const life = await measureTree('node', ['--import', 'tsx', 'local/main.ts', 'up', '--json', '--keep'], {
      cwd: ROOT,
      env: { ...process.env, ...env },
    });
    const { seconds, workflows, apiUrl, emulator } = JSON.parse(life.stdout) as {
      seconds: Record<string, number>;
      workflows: { name: string; seconds: number }[];
      apiUrl: string;
      emulator: { endpoint: string };
    };
    const { command, status } = await measuredThenStopped(async () => {
      note('GET /status, warm, on the embedded AWS');
      const status = await measureStatus(apiUrl);
      note('the command: help, cost, status');
      return { status, command: await measureCommand(emulator.endpoint, apiUrl) };
    });
    note('the app: overhead outside inference, and memory over 500 requests');
    const ghibli = await measureGhibli();
    note('the orchestration: transitions and its own bill, in the twin');
    const orchestration = await measureOrchestration();
    const suites = process.argv.includes('--without-tests') ? undefined : await measureTests();
    const bundles = bundleSizes(path.join(ROOT, 'dist', 'lambdas'));
    const largest = Math.max(...Object.values(bundles));
    const figures = {
      synth: {
        seconds: synth,
        limit: LIMITS.synthSeconds,
        ratioToBaseline: round(synth / baseline),
        baselineSeconds: baseline,
      },
      life: {
        seconds: round(seconds.total ?? 0),
        limit: LIMITS.lifeSeconds,
        parts: seconds,
        workflows: Object.fromEntries(workflows.map((run) => [run.name, round(run.seconds)])),
        peakMiB: life.peakMiB,
        limitMiB: LIMITS.lifeMiB,
      },
      command,
      ghibli,
      status,
      orchestration,
      suites,
      bundles: { largestBytes: largest, limit: LIMITS.bundleBytes, count: Object.keys(bundles).length, bytes: bundles },
    };
    const ok =
      synth <= LIMITS.synthSeconds &&
      (seconds.total ?? Infinity) <= LIMITS.lifeSeconds &&
      life.peakMiB <= LIMITS.lifeMiB &&
      command.ok &&
      ghibli.ok &&
      status.ok &&
      orchestration.ok &&
      suites?.ok !== false &&
      largest <= LIMITS.bundleBytes;
    console.log(JSON.stringify({ ok, ...figures }, null, 2));
    process.exitCode = ok ? 0 : 1;
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

/** Measures on the embedded AWS that the life has left up, and stops it. */
async function measuredThenStopped<T>(measure: () => Promise<T>): Promise<T> {
  try {
    return await measure();
  } finally {
    await execa('node', ['--import', 'tsx', 'local/main.ts', 'down'], {
      cwd: ROOT,
      env: { PATH: `${BIN}${path.delimiter}${process.env.PATH ?? ''}` },
    });
  }
}

function measureTests(): ReturnType<typeof measureSuites> {
  note('the tests (some minutes; QUICK=1 leaves them out)');
  return measureSuites();
}

async function median(run: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < RUNS; n++) {
    const startedAt = performance.now();
    await run();
    times.push((performance.now() - startedAt) / 1000);
  }
  return round(times.sort((a, b) => a - b)[Math.floor(RUNS / 2)] ?? 0);
}

function bundleSizes(folder: string): Record<string, number> {
  return Object.fromEntries(
    readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => [name, statSync(path.join(folder, name, 'index.js')).size]),
  );
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function note(what: string): void {
  process.stderr.write(`measuring ${what} …\n`);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
