import path from 'node:path';
import { execa } from 'execa';
import { awsVariables } from '../local/run/environment';
import { ROOT } from '../local/run/paths';

/** What each may take, from its start to its end (ms). */
const LIMITS = { '--help': 200, cost: 500, status: 1000 };
/** Runs of each; the median counts. The first makes the bundle and is not counted. */
const RUNS = 9;

/** Times the command as a person's shell runs it, `status` against an embedded AWS that is up. */
export async function measureCommand(endpoint: string, apiUrl: string) {
  const env = { ...awsVariables({ endpoint, region: 'us-east-1' }), DROWSE_API_URL: apiUrl };
  const ms = {} as Record<keyof typeof LIMITS, number>;
  for (const verb of Object.keys(LIMITS) as (keyof typeof LIMITS)[]) {
    const run = () => execa(path.join(ROOT, 'bin', 'drowse'), [verb], { cwd: ROOT, env, stdout: 'ignore' });
    await run();
    const times: number[] = [];
    for (let n = 0; n < RUNS; n++) {
      const startedAt = performance.now();
      await run();
      times.push(performance.now() - startedAt);
    }
    ms[verb] = Math.round(times.sort((a, b) => a - b)[Math.floor(RUNS / 2)] ?? Infinity);
  }
  const ok = (Object.keys(LIMITS) as (keyof typeof LIMITS)[]).every((verb) => ms[verb] <= LIMITS[verb]);
  return { ok, ms, limits: LIMITS };
}
