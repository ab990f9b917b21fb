import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { stateOf } from './digest';
import { Life, type Moment } from './life';
import type { Run, RunOptions } from './sandbox';

/** Something that can be killed: how its world is made, and what is run in it. */
export interface Victim {
  readonly name: string;
  /** A fresh world, the same each time. */
  make(): Promise<Life>;
  run(life: Life, options: RunOptions): Promise<Run>;
  /** What happens by itself after the instance has rebooted, before the script is run again. */
  comesBack?(life: Life): Promise<unknown>;
}

/** What a kill test found. */
export interface KillReport {
  /** External commands of an unbroken run: a crash was looked at after each. */
  readonly commands: number;
  /** States that differ: from each of them the script was run again. */
  readonly states: number;
  readonly problems: readonly string[];
}

/** A state that a crash would leave. */
interface Crash {
  /** How many commands had come to their end. */
  readonly after: number;
  readonly where: string;
  readonly state: Record<string, string>;
  /** Of those from which the script is run again. */
  readonly moment?: Moment;
}

/** Runs at a time: one for each of two cores. */
const AT_ONCE = 2;
/** Every so many states is run again from, another share with each seed of jest; DROWSE_KILLS=all runs again from each. */
const ONE_IN = process.env.DROWSE_KILLS === 'all' ? 1 : 4;
/** Crashes that are made with SIGKILL as well. */
const KILLED = 3;
/** In a pipeline others work on while one command has ended, and how far they are is chance. */
const PIPED = /^(age|base64|cat|head|jq|kubectl|openssl|sed|sha256sum|sort|tar)$/;

/**
 * Runs the script once and looks, after each of its external commands, at the state that a crash there would leave. Many
 * commands only read and leave the state of the one before. Each state that is new is kept, while the script stands still,
 * and the script is started anew in a share of them; every second time as after a crash of the instance, with its memory gone.
 * All must end like the unbroken run. That such a state is what a crash leaves is tried with SIGKILL at some of the commands.
 */
export async function killEverywhere(victim: Victim): Promise<KillReport> {
  const whole = await victim.make();
  const seen = new Set([hash(stateOf(whole.sandbox, whole.state, true))]);
  const crashes: Crash[] = [];
  let commands = 0;
  const unbroken = await victim.run(whole, {
    onCommand: (name) => {
      commands++;
      const state = stateOf(whole.sandbox, whole.state, true);
      if (seen.has(hash(state))) return;
      seen.add(hash(state));
      const where = `${victim.name} killed after command ${String(commands)} (${name})`;
      // The first of all at least: some scripts leave few states.
      const isTried = crashes.length === 0 || (crashes.length + Math.abs(jest.getSeed())) % ONE_IN === 0;
      crashes.push({ after: commands, where, state, ...(isTried && { moment: whole.moment() }) });
    },
  });
  if (unbroken.code !== 0) throw new Error(`${victim.name} fails unbroken: ${unbroken.stdout}${unbroken.stderr}`);
  const goal = stateOf(whole.sandbox, whole.state, false);
  await whole.end();

  const alone = crashes.filter(({ where }) => !PIPED.test(/\((.+)\)$/.exec(where)![1]!));
  const samples = alone.filter((_, i) => i % Math.ceil(Math.max(1, alone.length) / KILLED) === 0);
  const moments = crashes.flatMap(({ where, moment }) => (moment ? [{ where, moment }] : []));
  const problems: string[] = [];
  const work = [
    ...samples.map((crash) => () => kill(victim, crash)),
    ...moments.map((crash, i) => () => runAgain(victim, crash, i % 2 === 0, goal)),
  ];
  const worker = async (): Promise<void> => {
    for (let next = work.shift(); next !== undefined; next = work.shift()) problems.push(...(await next()));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  process.stdout.write(
    `${victim.name}: ${String(commands)} external commands, ${String(crashes.length)} states to crash in, run again from ${String(moments.length)}; ` +
      `${String(samples.length)} of them made by SIGKILL as well\n`,
  );
  return { commands, states: crashes.length, problems };
}

/** Kills the script at that command: it must leave the very state that was kept. */
async function kill(victim: Victim, { after, where, state }: Crash): Promise<string[]> {
  const life = await victim.make();
  const run = await victim.run(life, { killAfter: after });
  const problems =
    run.signal === 'SIGKILL'
      ? differences(state, stateOf(life.sandbox, life.state, true))
      : [`was not killed but ended with ${String(run.code)}\n${run.stderr}`];
  await life.end();
  return problems.map((problem) => `${where}: ${problem}`);
}

/** Runs the script in that state: it must end like the unbroken run. */
async function runAgain(
  victim: Victim,
  { where, moment }: { where: string; moment: Moment },
  reboots: boolean,
  goal: Record<string, string>,
): Promise<string[]> {
  const life = await Life.from(moment);
  if (reboots) {
    life.sandbox.reboot();
    await victim.comesBack?.(life);
  }
  const again = await victim.run(life, { quiet: true });
  const problems = [
    ...(again.code === 0 ? [] : [`the second run fails\n${again.stdout}${again.stderr.slice(-1000)}`]),
    ...differences(goal, stateOf(life.sandbox, life.state, false)),
    ...life.problems,
  ];
  await life.end();
  rmSync(moment.root, { recursive: true, force: true });
  return problems.map((problem) => `${where}: ${problem}`);
}

function hash(state: Record<string, string>): string {
  return createHash('sha256').update(JSON.stringify(state)).digest('hex');
}

function differences(goal: Record<string, string>, end: Record<string, string>): string[] {
  return [...new Set([...Object.keys(goal), ...Object.keys(end)])]
    .filter((path) => goal[path] !== end[path])
    .map(
      (path) =>
        `${path} is ${JSON.stringify(end[path]?.slice(0, 120))} instead of ${JSON.stringify(goal[path]?.slice(0, 120))}`,
    );
}
