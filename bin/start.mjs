// Starts the command drowse from a bundle of its sources, which loads many times faster than they do. The bundle is made when a source
// has changed, by content, and lies in dist/drowse/<digest>. Plain JavaScript: nothing has to be loaded to read this.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const ROOT = path.join(import.meta.dirname, '..');
const FOLDER = path.join(ROOT, 'dist', 'drowse');
/** What the newest bundle was made from: names of files, and the digest of their content. */
const RECORD = path.join(FOLDER, 'sources.json');
/** Packages are covered by the lock file. */
const ALWAYS = ['bin/start.mjs', 'package-lock.json'];
/** Bundles that are kept: a command that still runs may load the rest of an older one. */
const KEPT = 4;

/**
 * @param {readonly string[]} files below the repository
 * @returns {string}
 */
function digestOf(files) {
  const hash = createHash('sha256');
  for (const file of files) {
    hash.update(`${file}\0`);
    try {
      hash.update(readFileSync(path.join(ROOT, file)));
    } catch {
      hash.update('\0gone');
    }
  }
  return hash.digest('hex').slice(0, 16);
}

/** @returns {string | undefined} entry of the bundle that was made from what the sources are now */
function current() {
  try {
    const { files, digest } = /** @type {{ files: string[], digest: string }} */ (
      JSON.parse(readFileSync(RECORD, 'utf8'))
    );
    const entry = entryOf(digest);
    return existsSync(entry) && digestOf(files) === digest ? entry : undefined;
  } catch {
    // There is no record yet, or none that can be read.
    return undefined;
  }
}

/**
 * @param {string} digest
 * @returns {string}
 */
function entryOf(digest) {
  return path.join(FOLDER, digest, 'drowse.mjs');
}

/** @returns {Promise<string>} entry of a new bundle */
async function make() {
  const { build } = await import('esbuild');
  mkdirSync(FOLDER, { recursive: true });
  // In a place of its own until it is whole: several commands may make it at once.
  const own = path.join(FOLDER, `making-${String(process.pid)}`);
  try {
    const { metafile } = await build({
      absWorkingDir: ROOT,
      entryPoints: ['bin/drowse.ts'],
      outdir: own,
      bundle: true,
      // A verb is loaded when it is used.
      splitting: true,
      format: 'esm',
      outExtension: { '.js': '.mjs' },
      platform: 'node',
      target: 'node24',
      mainFields: ['module', 'main'],
      minifySyntax: true,
      minifyWhitespace: true,
      legalComments: 'none',
      logLevel: 'error',
      metafile: true,
      // Packages that are CommonJS ask for Node's own modules in this way.
      banner: {
        js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
      },
      plugins: [ownFolders()],
    });
    const inputs = Object.keys(metafile.inputs).filter((file) => !file.startsWith('node_modules/'));
    const files = [...ALWAYS, ...inputs].sort();
    const digest = digestOf(files);
    if (!existsSync(entryOf(digest))) renameSync(own, path.join(FOLDER, digest));
    writeFileSync(`${own}.json`, JSON.stringify({ digest, files }, null, 1));
    renameSync(`${own}.json`, RECORD);
    prune();
    return entryOf(digest);
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}

/** Files say where others lie by `__dirname`; in the bundle all lie elsewhere. @returns {import('esbuild').Plugin} */
function ownFolders() {
  return {
    name: 'own-folders',
    setup(bundle) {
      bundle.onLoad({ filter: /\.ts$/, namespace: 'file' }, ({ path: file }) => {
        if (file.includes('node_modules')) return undefined;
        const text = readFileSync(file, 'utf8');
        if (!text.includes('__dirname')) return undefined;
        const up = path.relative(path.join(FOLDER, 'digest'), path.dirname(file));
        const contents = text.replaceAll(
          '__dirname',
          `require('node:path').join(import.meta.dirname, ${JSON.stringify(up)})`,
        );
        return { contents, loader: 'ts' };
      });
    },
  };
}

/** Deletes the oldest bundles. */
function prune() {
  const bundles = readdirSync(FOLDER, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && /^[0-9a-f]{16}$/.test(entry.name))
    .map(({ name }) => ({ folder: path.join(FOLDER, name), at: statSync(path.join(FOLDER, name)).mtimeMs }))
    .sort((a, b) => b.at - a.at);
  for (const { folder } of bundles.slice(KEPT)) rmSync(folder, { recursive: true, force: true });
}

/** @returns {Promise<string>} what to start: the bundle; the sources themselves where none can be made (a clone of somebody else’s) */
async function entry() {
  const found = current();
  if (found !== undefined) return found;
  try {
    return await make();
  } catch (error) {
    console.error(
      `drowse starts slowly, as its bundle cannot be made: ${error instanceof Error ? error.message : String(error)}`,
    );
    const { register } = await import('tsx/cjs/api');
    register();
    return path.join(ROOT, 'bin', 'drowse.ts');
  }
}

// What V8 has compiled once is read the next time. It says no if it cannot, and that is no harm.
enableCompileCache(path.join(FOLDER, 'compiled'));
await import(pathToFileURL(await entry()).href);
