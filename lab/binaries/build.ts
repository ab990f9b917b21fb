import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { downloadModule, go } from './go';
import { goModSchema, wrapperGoMod } from './go-module';
import { buildFlags, CACHE, cachedPath, type Wanted } from './wanted';

/**
 * Builds what is missing of the programs, one after the other (the Go tool uses all cores by itself).
 * @param onBuild called before each build
 * @returns paths of the binaries, in the order asked for
 * @throws CommandFailed no Go, no network, or a build failed
 */
export async function buildBinaries(
  programs: readonly Wanted[],
  signal: AbortSignal,
  onBuild: (wanted: Wanted) => void = () => undefined,
): Promise<string[]> {
  const paths: string[] = [];
  for (const wanted of programs) {
    const binary = cachedPath(wanted);
    if (!existsSync(binary)) {
      onBuild(wanted);
      await oneAtATime(signal, async () => {
        // Whoever built before may have built this one.
        if (!existsSync(binary)) await build(wanted, binary, signal);
      });
    }
    paths.push(binary);
  }
  return paths;
}

/**
 * One build at a time on this machine: each takes all cores, and most share packages, which the first leaves in Go's cache. The
 * lock of a process that died is taken over.
 */
async function oneAtATime(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  const lock = path.join(CACHE, 'lock');
  mkdirSync(CACHE, { recursive: true });
  while (!take(lock)) {
    await sleep(1000);
    signal.throwIfAborted();
  }
  try {
    await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function take(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    if (!isAlive(ownerOf(lock))) rmSync(lock, { force: true });
    return false;
  }
}

/** Process of a lock; this one's number where the lock went meanwhile. */
function ownerOf(lock: string): number {
  try {
    return Number(readFileSync(lock, 'utf8'));
  } catch {
    return process.pid;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function build(wanted: Wanted, binary: string, signal: AbortSignal): Promise<void> {
  const { recipe, version } = wanted;
  const cwd = mkdtempSync(path.join(tmpdir(), 'drowse-build-'));
  const options = { cwd, signal, cgo: recipe.cgo === true };
  // Beside its place, so that moving it there is one step: a build that was cut short leaves nothing that looks whole.
  const unfinished = `${binary}.${String(process.pid)}`;
  try {
    mkdirSync(path.dirname(binary), { recursive: true });
    const { goMod } = await downloadModule(recipe.module, version, options);
    const parsed = goModSchema.parse(JSON.parse(await go(['mod', 'edit', '-json', goMod], options)));
    writeFileSync(path.join(cwd, 'go.mod'), wrapperGoMod(recipe, version, parsed));
    await go(['build', ...buildFlags(wanted), '-o', unfinished, recipe.package], options);
    renameSync(unfinished, binary);
  } finally {
    rmSync(unfinished, { force: true });
    rmSync(cwd, { recursive: true, force: true });
  }
}
