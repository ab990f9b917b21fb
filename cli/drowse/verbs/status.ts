import { setTimeout as pause } from 'node:timers/promises';
import { colors } from '../../terminal/colors';
import { EXIT } from '../../terminal/errors';
import { Progress } from '../../terminal/progress';
import { describeNodes, describeStatus } from '../describe';
import { follow } from '../follow';
import type { Status } from '../status-answer';
import { type TargetOptions, targetOf } from '../target';
import { WakeApi } from '../wake-api';
import { lookAtEnd } from '../workflows';

/** Between two looks at a cluster that does nothing (ms). */
const IDLE_LOOK_MS = 5_000;

/** Tells how the cluster is, what it does, what it costs and what comes next; with `watch` until Ctrl-C. */
export async function status(options: TargetOptions & { watch?: boolean }, signal: AbortSignal): Promise<number> {
  const target = targetOf(options);
  const api = await WakeApi.connect(target, signal);
  const look = (): Promise<Status> => api.status();
  const show = (found: Status): void => {
    if (options.json) console.log(JSON.stringify(found));
    else console.log(describeStatus(found, target.config, colors(process.stdout), Date.now()));
  };
  if (!options.json) console.log(target.description);
  let found = await look();
  show(found);
  while (options.watch) {
    const { running } = found;
    if (running && running.ended === undefined && !options.json) {
      const ended = lookAtEnd(target, running.execution);
      // A failure is told, and the watch goes on.
      await follow(running.workflow, running.execution, {
        look,
        ended,
        progress: new Progress(process.stdout),
        signal,
      }).catch((error: unknown) => {
        if (signal.aborted) throw error;
        console.log(error instanceof Error ? error.message : String(error));
      });
    } else await pause(IDLE_LOOK_MS, undefined, { signal });
    const next = await look();
    if (changed(found, next)) show(next);
    found = next;
  }
  return found.state === 'awake-degraded' ? EXIT.degraded : EXIT.done;
}

function changed(before: Status, now: Status): boolean {
  const told = ({ state, running, waiting, nodes, failure }: Status): string =>
    JSON.stringify([state, running?.execution, waiting, failure?.at, nodes.map(({ id, phase }) => [id, phase])]);
  return told(before) !== told(now);
}

/** The nodes alone, as a table. */
export async function nodes(options: TargetOptions, signal: AbortSignal): Promise<number> {
  const target = targetOf(options);
  const found = await (await WakeApi.connect(target, signal)).status();
  if (options.json) console.log(JSON.stringify(found.nodes));
  else {
    const table = describeNodes(found, Date.now());
    console.log(
      table === '' ? `${target.description}, has no nodes: it is ${found.state}.` : `${target.description}\n${table}`,
    );
  }
  return EXIT.done;
}
