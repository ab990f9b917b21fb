import { createHash } from 'node:crypto';
import { stateOf } from './digest';
import type { Life } from './life';
import type { Run, RunOptions } from './sandbox';

/** Something that can be killed: how its world is made, and what is run in it. */
export interface Victim {
  readonly name: string;
  /** A fresh world, the same each time. */
  make(): Promise<Life>;
  run(life: Life, options: RunOptions): Promise<Run>;
}

/** What a kill test found. */
export interface KillReport {
  /** External commands of an unbroken run: the script was killed after each. */
  readonly commands: number;
  /** States that differ: from each of them the script was run again. */
  readonly states: number;
  readonly problems: readonly string[];
}

/** Runs at a time: one for each of two cores. */
const AT_ONCE = 2;

/**
 * Runs the script once and looks, after each of its external commands, at the state that a crash there would leave. Many
 * commands only read and leave the state of the one before. For each state that is new the script is started afresh, killed
 * with SIGKILL at that command, and run again; every second time as after a crash of the instance, with its memory gone.
 * All must end like the unbroken run.
 */
export async function killEverywhere(victim: Victim): Promise<KillReport> {
  const whole = await victim.make();
  const commands: string[] = [];
  const seen = new Set([hash(whole)]);
  const kills: number[] = [];
  const unbroken = await victim.run(whole, {
    onCommand: (name) => {
      commands.push(name);
      const state = hash(whole);
      if (!seen.has(state)) kills.push(commands.length);
      seen.add(state);
    },
  });
  if (unbroken.code !== 0) throw new Error(`${victim.name} fails unbroken: ${unbroken.stderr}`);
  const goal = stateOf(whole.sandbox, whole.state, false);
  await whole.end();
  const problems: string[] = [];
  const queue = [...kills.entries()];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [index, kill] = next;
      const life = await victim.make();
      const where = `${victim.name} killed after command ${String(kill)} (${commands[kill - 1]!})`;
      const killed = await victim.run(life, { killAfter: kill });
      if (killed.signal !== 'SIGKILL')
        problems.push(`${where}: was not killed but ended with ${String(killed.code)}\n${killed.stderr}`);
      if (index % 2 === 0) life.sandbox.reboot();
      const again = await victim.run(life, {});
      if (again.code !== 0) problems.push(`${where}: the second run fails\n${again.stderr.slice(-1000)}`);
      problems.push(
        ...differences(goal, stateOf(life.sandbox, life.state, false)).map((difference) => `${where}: ${difference}`),
        ...life.problems,
      );
      await life.end();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return { commands: commands.length, states: kills.length, problems };
}

function hash(life: Life): string {
  return createHash('sha256')
    .update(JSON.stringify(stateOf(life.sandbox, life.state, true)))
    .digest('hex');
}

function differences(goal: Record<string, string>, end: Record<string, string>): string[] {
  return [...new Set([...Object.keys(goal), ...Object.keys(end)])]
    .filter((path) => goal[path] !== end[path])
    .map(
      (path) =>
        `${path} is ${JSON.stringify(end[path]?.slice(0, 120))} instead of ${JSON.stringify(goal[path]?.slice(0, 120))}`,
    );
}
