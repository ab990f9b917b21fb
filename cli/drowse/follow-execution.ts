import { setTimeout as pause } from 'node:timers/promises';
import { SFNClient } from '@aws-sdk/client-sfn';
import { parseJson } from '../../core/parse-json';
import { readStates } from '../../lambdas/shared/workflows/history';
import { CommandFailed, EXIT } from '../terminal/errors';
import type { Progress } from '../terminal/progress';
import { ask } from './aws';
import { duration } from './describe';
import type { Target } from './target';
import { lookAtEnd } from './workflows';

/** Between two looks (ms). */
const LOOK_MS = 1_000;

/**
 * Shows the steps of an execution by its own history, until it has ended: for workflows that hold no lease, of which the
 * cluster's status says nothing.
 * @returns what the workflow left
 * @throws CommandFailed if it has failed
 */
export async function followExecution(
  target: Target,
  workflow: string,
  execution: string,
  { progress, signal }: { progress: Progress; signal: AbortSignal },
): Promise<unknown> {
  const sfn = new SFNClient({ region: target.region });
  const ended = lookAtEnd(target, execution);
  const shown = new Set<string>();
  progress.start(`${workflow}: begins`);
  try {
    for (;;) {
      const end = await ended();
      const { states } = await ask(target, () => readStates(sfn, execution, { pages: 1, newest: true }));
      for (const { name, enteredAt, exitedAt } of states) {
        const key = `${name} ${String(enteredAt)}`;
        if (exitedAt === undefined || shown.has(key)) continue;
        shown.add(key);
        progress.print(`    ${progress.color.dim('·')} ${name} ${progress.color.dim(duration(exitedAt - enteredAt))}`);
      }
      if (end?.status === 'SUCCEEDED') {
        progress.done(workflow);
        return parseJson(end.output);
      }
      if (end) {
        progress.fail(`${workflow} ${end.status.toLowerCase()}`);
        throw new CommandFailed(
          `${workflow} ended as ${end.status}: ${[end.error, end.cause].filter(Boolean).join(': ')}`,
          `docs/runbook.md says what to do; drowse logs ${workflow} shows what it did.`,
          '',
          end.error === 'ClusterBusy' ? EXIT.busy : EXIT.failed,
        );
      }
      const under = states.filter(({ exitedAt }) => exitedAt === undefined);
      if (under.length > 0) {
        const now = under.map(({ name, enteredAt }) => `${name} ${duration(Date.now() - enteredAt)}`);
        progress.update(`${workflow}: ${now.join(', ')}`);
      }
      await pause(LOOK_MS, undefined, { signal });
    }
  } finally {
    progress.stop();
  }
}
