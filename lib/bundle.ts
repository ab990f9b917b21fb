import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build, stop } from 'esbuild';
import { onlyUsedCalls } from './only-used-calls';

const ROOT = path.join(__dirname, '..');

/** Folder of the bundled handlers; each is `<name>/index.js`, its entry `index.handler`. */
export const BUNDLES = path.join(ROOT, 'dist', 'lambdas');

/** A handler's bundle. */
export interface Bundle {
  name: string;
  bytes: number;
}

/** Handlers bundled side by side: each takes about 25 MB more of the machine's memory while it is. */
const AT_ONCE = 16;

function chunk<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, n) => items.slice(n * size, (n + 1) * size));
}

/** Names of all step and API handlers: the folders of `lambdas/` that hold one. */
export function handlerNames(): string[] {
  const lambdas = path.join(ROOT, 'lambdas');
  return readdirSync(lambdas)
    .filter((name) => existsSync(path.join(lambdas, name, 'handler.ts')))
    .sort();
}

/**
 * Bundles every handler into `dist/lambdas/<name>/index.js`, unless what is there was made from the same sources. The
 * same sources give the same bytes, so that an unchanged handler is not deployed again.
 */
export async function bundleHandlers(outdir = BUNDLES): Promise<Bundle[]> {
  const names = handlerNames();
  const record = path.join(outdir, 'sources.json');
  if (!isCurrent(record, names)) {
    const plugin = onlyUsedCalls();
    const inputs = new Set<string>();
    for (const [index, some] of chunk(names, AT_ONCE).entries()) {
      const first = index * AT_ONCE + 1;
      console.error(
        `Bundling ${String(first)} to ${String(first + some.length - 1)} of ${String(names.length)} handlers`,
      );
      const { metafile } = await build({
        absWorkingDir: ROOT,
        entryPoints: some.map((name) => ({ in: `lambdas/${name}/handler.ts`, out: `${name}/index` })),
        outdir,
        bundle: true,
        minify: true,
        platform: 'node',
        target: 'node24',
        format: 'cjs',
        // ES modules first: they can be shaken down to what a handler uses.
        mainFields: ['module', 'main'],
        sourcemap: false,
        legalComments: 'none',
        logLevel: 'warning',
        metafile: true,
        plugins: [plugin],
      });
      for (const file of Object.keys(metafile.inputs)) inputs.add(file);
      // The bundler's process keeps what it has taken until its end.
      await stop();
    }
    // Packages are covered by the lock file.
    const own = [...inputs].filter((file) => !file.startsWith('node_modules'));
    const files = ['lib/bundle.ts', 'lib/only-used-calls.ts', 'package-lock.json', ...own].sort();
    writeFileSync(record, JSON.stringify({ names, files, digest: digestOf(files) } satisfies Sources, null, 1));
  }
  return names.map((name) => ({ name, bytes: readFileSync(path.join(outdir, name, 'index.js')).length }));
}

/** What the bundles were made from. */
interface Sources {
  names: string[];
  files: string[];
  digest: string;
}

function isCurrent(record: string, names: readonly string[]): boolean {
  if (!existsSync(record)) return false;
  const made = JSON.parse(readFileSync(record, 'utf8')) as Sources;
  const complete = names.every((name) => existsSync(path.join(path.dirname(record), name, 'index.js')));
  return complete && made.names.join() === names.join() && made.digest === digestOf(made.files);
}

function digestOf(files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files) {
    const absolute = path.join(ROOT, file);
    hash.update(existsSync(absolute) ? readFileSync(absolute) : 'gone').update('\0');
  }
  return hash.digest('hex');
}

async function main(): Promise<void> {
  for (const { name, bytes } of await bundleHandlers()) {
    console.log(`${name.padEnd(24)} ${(bytes / 1024).toFixed(0).padStart(5)} KiB`);
  }
}

if (require.main === module) void main();
