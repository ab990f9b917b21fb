import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { downloadModule, go } from './go';
import { goModSchema, wrapperGoMod } from './go-module';
import { oneAtATime } from './one-at-a-time';
import { buildFlags, CACHE, cachedPath, type Wanted } from './wanted';

/**
 * Builds a program, unless it is in the cache. One build at a time on this machine: each takes all cores, and most share
 * packages, which the first leaves in Go's cache.
 * @param onBuild called before it is built
 * @returns its path
 * @throws CommandFailed no Go, no network, or the build failed
 */
export async function builtBinary(
  wanted: Wanted,
  signal: AbortSignal,
  onBuild: () => void,
  cache: string = CACHE,
): Promise<string> {
  const binary = cachedPath(wanted, cache);
  if (!existsSync(binary)) {
    onBuild();
    await oneAtATime(path.join(cache, 'lock'), signal, async () => {
      // Whoever built before may have built this one.
      if (!existsSync(binary)) await build(wanted, binary, signal);
    });
  }
  return binary;
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
