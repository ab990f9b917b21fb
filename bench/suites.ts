import { execa } from 'execa';
import { ROOT } from '../local/run/paths';

/** What each suite may take on two cores, with its packages installed (s). */
const LIMITS = { test: 360, 'test-nodes': 120 };

/** Lines of a failed suite's output that are shown. */
const TAIL = 40;

/** Runs the suites, one after the other, each as a person would. */
export async function measureSuites() {
  // What the suites need is installed once, and no part of them.
  await run('test-setup');
  const seconds = {} as Record<keyof typeof LIMITS, number>;
  for (const target of Object.keys(LIMITS) as (keyof typeof LIMITS)[]) {
    const startedAt = performance.now();
    await run(target);
    seconds[target] = Math.round((performance.now() - startedAt) / 100) / 10;
  }
  const ok = seconds.test <= LIMITS.test && seconds['test-nodes'] <= LIMITS['test-nodes'];
  return { ok, seconds, limits: LIMITS };
}

async function run(target: string): Promise<void> {
  const { exitCode, all } = await execa('make', [target], { cwd: ROOT, all: true, reject: false });
  if (exitCode !== 0) throw new Error(`make ${target} failed:\n${(all ?? '').split('\n').slice(-TAIL).join('\n')}`);
}
