import { existsSync, mkdirSync, rmSync, renameSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { CommandFailed, tail } from '../../cli/terminal/errors';
import type { Telling } from '../binaries/obtain';
import { digestOf, type Inputs } from './digest';
import { LAB_CACHE } from './paths';

/** One folder of the cache. */
export interface Step extends Inputs {
  name: string;
  /** Fills an empty folder. */
  make: (folder: string, signal: AbortSignal) => Promise<void>;
}

/** Where a step's result is, whether it is there or not: other inputs lead to another place. */
export function placeOf(step: Inputs & { name: string }): string {
  return path.join(LAB_CACHE, `${step.name}-${digestOf(step)}`);
}

/**
 * Makes what is not there yet; a step that was cut off leaves nothing that looks whole.
 * @returns the step's folder
 */
export async function made(step: Step, signal: AbortSignal, { step: say }: Telling): Promise<string> {
  const place = placeOf(step);
  if (!existsSync(place)) {
    say(`making ${step.name}`);
    const unfinished = `${place}.${String(process.pid)}`;
    rmSync(unfinished, { recursive: true, force: true });
    mkdirSync(unfinished, { recursive: true });
    try {
      await step.make(unfinished, signal);
      moveTo(place, unfinished);
    } finally {
      rmSync(unfinished, { recursive: true, force: true });
    }
  }
  const now = new Date();
  utimesSync(place, now, now);
  return place;
}

/** Another run may have made the same meanwhile: then this one's is not needed. */
function moveTo(place: string, unfinished: string): void {
  try {
    renameSync(unfinished, place);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

/**
 * Runs a script of a step.
 * @throws CommandFailed with the end of its words
 */
export async function script(file: string, args: readonly string[], signal: AbortSignal): Promise<void> {
  const result = await execa(file, args, { reject: false, all: true, signal });
  signal.throwIfAborted();
  if (result.failed) {
    const name = path.basename(file);
    const remedy = 'Check that the machine has what docs/lab.md names, and the network, then run the command again.';
    throw new CommandFailed(`${name} failed`, remedy, tail(result.all ?? ''));
  }
}
