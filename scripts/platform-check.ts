import { describeTarget, loadConfig } from '../lib/config/load';
import { checkPlatform } from '../lib/platform/check';
import { Schemas } from '../lib/platform/check/schemas';
import { ensurePython } from '../local/run/python';
import path from 'node:path';

/**
 * What `make platform-check` runs: everything that the cluster of cluster.yaml would get from platform/, checked without a
 * network. Prints one line of JSON; problems go to stderr, and make it fail.
 */
async function main(): Promise<void> {
  const python = await ensurePython(['lib/platform/requirements.txt'], new AbortController().signal);
  const schemas = await Schemas.load(path.resolve(python, '..', '..'));
  const config = loadConfig(process.env.DROWSE_CONFIG);
  console.error(`Platform of ${describeTarget(config, process.env.DROWSE_CONFIG)}`);
  const { problems, ...report } = checkPlatform(config, schemas);
  console.log(JSON.stringify(report));
  for (const notice of report.notices) console.error(`notice: ${notice}`);
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length === 0 ? 0 : 1;
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? `${error.name}: ${error.message}` : error);
  process.exitCode = 1;
});
