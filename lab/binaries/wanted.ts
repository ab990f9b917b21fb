import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import path from 'node:path';
import { CommandFailed } from '../../cli/terminal/errors';
import { RECIPES, type Recipe } from './recipes';

/** Where binaries are kept: outside the tree, and shared by all clones. DROWSE_CACHE puts it elsewhere. */
export const CACHE = path.resolve(
  process.env.DROWSE_CACHE ?? path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache'), 'drowse'),
  'binaries',
);

/** A program in one version. */
export interface Wanted {
  /** Name of the binary. */
  name: string;
  recipe: Recipe;
  /** Without a `v`. */
  version: string;
}

/**
 * Reads `kubectl` or `kubectl@1.35.4`.
 * @throws CommandFailed no recipe has that name
 */
export function wantedOf(text: string): Wanted {
  const [name = '', version] = text.split('@', 2);
  const recipe: Recipe | undefined = Object.entries(RECIPES).find(([known]) => known === name)?.[1];
  if (!recipe) {
    throw new CommandFailed(`There is no recipe for ${name}`, `Known are ${Object.keys(RECIPES).join(', ')}.`);
  }
  return { name, recipe, version: (version ?? recipe.version).replace(/^v/, '') };
}

/** Arguments of `go build` for a recipe; the output's path is yet to be said. */
export function buildFlags({ recipe, version }: Wanted): string[] {
  const variables = Object.entries(recipe.variables?.(version) ?? {}).map(([name, value]) => `-X ${name}=${value}`);
  return [
    '-trimpath',
    `-ldflags=${['-s', '-w', ...variables].join(' ')}`,
    ...(recipe.tags ? [`-tags=${recipe.tags.join(',')}`] : []),
  ];
}

/** Where a program is kept once it is built; a recipe that would build it otherwise leads to another place. */
export function cachedPath(wanted: Wanted, cache: string = CACHE): string {
  const { name, recipe, version } = wanted;
  const built = [
    recipe.module,
    recipe.package,
    recipe.staging?.(version),
    recipe.cgo === true,
    buildFlags(wanted),
    // Only where there are any: what was built before there were stays where it is.
    ...(recipe.instead ? [recipe.instead] : []),
  ];
  const digest = createHash('sha256').update(JSON.stringify(built)).digest('hex').slice(0, 8);
  return path.join(cache, `${process.platform}-${process.arch}`, `${name}-${version}-${digest}`, name);
}
