import { CommandFailed, Interrupted } from '../../cli/terminal/errors';
import { buildBinaries } from './build';
import { RECIPES } from './recipes';
import { wantedOf } from './wanted';

/**
 * Builds programs that are not in the cache yet, and prints the path of each, a line each, in the order asked for.
 *
 *   node --import tsx lab/binaries/main.ts kube-apiserver kubectl@1.35.4 etcd
 */
async function main(names: readonly string[]): Promise<void> {
  if (names.length === 0)
    throw new CommandFailed('No program was named', `Known are ${Object.keys(RECIPES).join(', ')}.`);
  const abort = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => abort.abort(new Interrupted(signal)));
  }
  const paths = await buildBinaries(names.map(wantedOf), abort.signal, ({ name, version, recipe }) => {
    console.error(`Building ${name} ${version} from ${recipe.module} …`);
  });
  console.log(paths.join('\n'));
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.exitCode = error instanceof Interrupted ? error.exitCode : 1;
  if (error instanceof CommandFailed) console.error(error.text);
  else console.error(error instanceof Interrupted ? error.message : error);
});
