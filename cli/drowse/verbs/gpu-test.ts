import * as z from 'zod';
import { EXIT } from '../../terminal/errors';
import { Progress } from '../../terminal/progress';
import { answer } from '../answers';
import { findSeat } from '../find-nodes';
import { runOnNode } from '../node-command';
import { type TargetOptions, targetOf } from '../target';

const checks = z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() }));
const passed = z.object({ ok: z.literal(true), checks });
const failed = z.object({ ok: z.literal(false), checks });

/** As long as the script may take (s). */
const SECONDS = 600;

/** Runs the smoke test on a seat, whose last check is nvidia-smi in a Job, and prints what each check found. */
export async function gpuTest(options: TargetOptions, signal: AbortSignal): Promise<number> {
  const target = targetOf(options);
  const progress = new Progress(options.json ? process.stderr : process.stdout);
  progress.print(target.description);
  const seat = await findSeat(target);
  progress.start(`smoke test on ${seat.id}: some minutes where images have to be pulled`);
  let found: z.output<typeof passed> | z.output<typeof failed>;
  try {
    const command = { instanceId: seat.id, command: 'smoke-test', seconds: SECONDS, result: z.union([passed, failed]) };
    found = await runOnNode(target, command, signal);
  } finally {
    progress.stop();
  }
  const { ok } = found;
  if (options.json) answer('gpu-test', { ok, checks: found.checks });
  else {
    const { green, red } = progress.color;
    for (const { name, ok: good, detail } of found.checks) {
      progress.print(`  ${good ? green('✓') : red('✗')} ${name}: ${detail}`);
    }
  }
  const gpu = found.checks.find(({ name }) => name === 'nvidia-smi');
  if (!ok) return EXIT.failed;
  return gpu?.detail.startsWith('not run') === true ? EXIT.degraded : EXIT.done;
}
