import * as z from 'zod';
import { EXIT } from '../../terminal/errors';
import { Progress } from '../../terminal/progress';
import { answer } from '../answers';
import { findSeat } from '../find-nodes';
import { runOnNode } from '../node-command';
import { type TargetOptions, targetOf } from '../target';

const checks = z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() }));
const passed = z.object({ ok: z.literal(true), checks, nvidiaSmi: z.string().optional() });
const failed = z.object({ ok: z.literal(false), checks });

export interface GpuTestOptions extends TargetOptions {
  all?: boolean;
}

/** As long as the script may take (s). */
const SECONDS = 600;

/** Has a seat run nvidia-smi in a Job, as its smoke test does, and prints it; with `all` the whole of that test. */
export async function gpuTest(options: GpuTestOptions, signal: AbortSignal): Promise<number> {
  const target = targetOf(options);
  const progress = new Progress(options.json ? process.stderr : process.stdout);
  progress.print(target.description);
  const seat = await findSeat(target);
  progress.start(
    `${options.all ? 'smoke test' : 'nvidia-smi in a Job'}, from ${seat.id}: some minutes where images have to be pulled`,
  );
  let found: z.output<typeof passed> | z.output<typeof failed>;
  try {
    const parameters = { Checks: options.all ? 'all' : 'gpu' };
    const result = z.union([passed, failed]);
    const command = { instanceId: seat.id, command: 'smoke-test', parameters, seconds: SECONDS, result };
    found = await runOnNode(target, command, signal);
  } finally {
    progress.stop();
  }
  const { ok } = found;
  const shown = found.ok ? found.nvidiaSmi : undefined;
  if (options.json) answer('gpu-test', { ok, checks: found.checks, nvidiaSmi: shown });
  else {
    const { green, red } = progress.color;
    for (const { name, ok: good, detail } of found.checks) {
      progress.print(`  ${good ? green('✓') : red('✗')} ${name}: ${detail}`);
    }
    if (shown !== undefined) progress.print(shown.trim());
  }
  const gpu = found.checks.find(({ name }) => name === 'nvidia-smi');
  if (!ok) return EXIT.failed;
  return gpu?.detail.startsWith('not run') === true ? EXIT.degraded : EXIT.done;
}
