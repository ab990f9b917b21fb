import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { build, type Plugin } from 'esbuild';

const ROOT = path.join(__dirname, '..');

/** Folder of the bundled handlers; each is `<name>/index.js`, its entry `index.handler`. */
export const BUNDLES = path.join(ROOT, 'dist', 'lambdas');

/** A handler's bundle. */
export interface Bundle {
  name: string;
  bytes: number;
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
    const { metafile } = await build({
      absWorkingDir: ROOT,
      entryPoints: names.map((name) => ({ in: `lambdas/${name}/handler.ts`, out: `${name}/index` })),
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
      plugins: [shakeableSchemas],
    });
    // Packages are covered by the lock file.
    const own = Object.keys(metafile.inputs).filter((file) => !file.startsWith('node_modules'));
    const files = ['lib/bundle.ts', 'package-lock.json', ...own].sort();
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

/**
 * An SDK client keeps the schemas of all its operations in one file, as arrays with computed keys (`{ [_K]: … }`) that
 * no bundler dares to drop: for EC2, 550 KB in each bundle. With the keys written out, what is not used goes.
 */
const shakeableSchemas: Plugin = {
  name: 'shakeable-schemas',
  setup(build) {
    build.onLoad(
      { filter: /[\\/]client-[a-z0-9-]+[\\/]dist-es[\\/]schemas[\\/]schemas_\d+\.js$/ },
      async ({ path: file }) => {
        const source = await readFile(file, 'utf8');
        const values = new Map(
          [...source.matchAll(/^const (_\w+) = ("[^"]*");$/gm)].map(([, name, value]) => [name, value]),
        );
        const contents = source.replace(/\[(_\w+)\]:/g, (key, name: string) => `${values.get(name) ?? key}:`);
        return { contents, loader: 'js' };
      },
    );
  },
};

async function main(): Promise<void> {
  for (const { name, bytes } of await bundleHandlers()) {
    console.log(`${name.padEnd(24)} ${(bytes / 1024).toFixed(0).padStart(5)} KiB`);
  }
}

if (require.main === module) void main();
