import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Command } from 'commander';
import { CommandFailed, Interrupted } from '../../cli/terminal/errors';
import { readLock } from './lock';
import { obtainBinaries } from './obtain';
import { lockable, raiseLock } from './raise';
import { RECIPES } from './recipes';
import { wantedOf } from './wanted';

/** A signal that Ctrl-C aborts. */
function interruption(): AbortSignal {
  const abort = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => abort.abort(new Interrupted(signal)));
  }
  return abort.signal;
}

async function obtain(names: readonly string[]): Promise<void> {
  // Standard output has the paths, and nothing else.
  const paths = await obtainBinaries(names.map(wantedOf), interruption(), { step: console.error, note: console.error });
  console.log(paths.join('\n'));
}

async function raise(): Promise<void> {
  const today = new Date().toISOString().slice(0, 10);
  const { lock, missing } = await raiseLock(readLock(), lockable(), { signal: interruption(), today });
  writeFileSync(path.join(__dirname, 'released.json'), `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`lab/binaries/released.json has the digests of ${String(lock.files.length)} files.`);
  for (const url of missing) console.log(`No list of its makers names ${url}`);
}

const program = new Command('binaries').description('Programs of the lab, in the cache.').showHelpAfterError();
program
  .command('get', { isDefault: true })
  .description('make programs that are not in the cache yet, and print the path of each')
  .argument('<programs...>', `for example kubectl@1.35.4; known are ${Object.keys(RECIPES).join(', ')}`)
  .action(obtain);
program
  .command('raise')
  .description('bring released.json up to date: the digests of what their makers publish (make lab-lock)')
  .action(raise);

program.parseAsync().catch((error: unknown) => {
  process.exitCode = error instanceof Interrupted ? error.exitCode : 1;
  if (error instanceof CommandFailed) console.error(error.text);
  else console.error(error instanceof Interrupted ? error.message : error);
});
