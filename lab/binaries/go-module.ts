import * as z from 'zod';
import type { Recipe } from './recipes';

/** What `go mod edit -json` says of a go.mod, as far as it matters here. */
export const goModSchema = z.object({
  /** The Go version that it asks for. */
  Go: z.string(),
  Require: z.array(z.object({ Path: z.string(), Version: z.string() })).nullish(),
  Replace: z
    .array(
      z.object({
        Old: z.object({ Path: z.string(), Version: z.string().optional() }),
        New: z.object({ Path: z.string(), Version: z.string().optional() }),
      }),
    )
    .nullish(),
});
/** A parsed go.mod. */
export type GoMod = z.infer<typeof goModSchema>;

/** A module replaces another by a folder of its own repository, and nothing says which published version that is. */
export class UnknownStagingVersion extends Error {
  override readonly name = 'UnknownStagingVersion';
}

/**
 * The go.mod of a module of our own that builds another one's program: Go obeys replacements in the main module's go.mod
 * alone, so the program's replacements are repeated here. A folder of the program's repository becomes the version that was
 * published from it; where the program's own requirement names that version already, nothing needs to be said.
 * @param goMod the program's go.mod
 * @throws UnknownStagingVersion a recipe lacks `staging`
 */
export function wrapperGoMod(recipe: Recipe, version: string, goMod: GoMod): string {
  const required = new Map((goMod.Require ?? []).map(({ Path, Version }) => [Path, Version]));
  const instead = recipe.instead ?? {};
  const replacements = (goMod.Replace ?? []).flatMap(({ Old, New }) => {
    if (instead[Old.Path] !== undefined) return [];
    const old = [Old.Path, Old.Version].filter(Boolean).join(' ');
    if (New.Version !== undefined) return [`${old} => ${New.Path} ${New.Version}`];
    if (!required.get(Old.Path)?.startsWith('v0.0.0')) return [];
    const staging = recipe.staging?.(version);
    if (staging === undefined) {
      throw new UnknownStagingVersion(`${recipe.module} replaces ${Old.Path} by ${New.Path}: its recipe needs staging`);
    }
    return [`${old} => ${Old.Path} v${staging}`];
  });
  return [
    'module drowse.dev/lab/build',
    `go ${goMod.Go}`,
    `require ${recipe.module} v${version}`,
    ...Object.entries(instead).map(([name, other]) => `replace ${name} => ${name} v${other}`),
    ...replacements.map((replacement) => `replace ${replacement}`),
    '',
  ].join('\n');
}
