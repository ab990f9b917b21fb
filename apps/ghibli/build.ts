import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';

const HERE = __dirname;
/** Where the built app goes. */
export const DIST = path.join(HERE, 'dist');

/** Builds server, painting thread and page into `dist`. */
export async function buildAll(): Promise<void> {
  rmSync(DIST, { recursive: true, force: true });
  const publicFolder = path.join(DIST, 'public');
  mkdirSync(publicFolder, { recursive: true });
  const [, page] = await Promise.all([
    build({
      entryPoints: ['server', 'painter-worker'].map((name) => path.join(HERE, 'server', `${name}.ts`)),
      outdir: DIST,
      bundle: true,
      packages: 'external',
      platform: 'node',
      target: 'node24',
      format: 'cjs',
      sourcemap: 'linked',
      logLevel: 'warning',
    }),
    build({
      entryPoints: ['page.ts', 'page.css', 'icon.svg'].map((name) => path.join(HERE, 'page', name)),
      outdir: path.join(publicFolder, 'assets'),
      entryNames: '[name]-[hash]',
      assetNames: '[name]-[hash]',
      bundle: true,
      minify: true,
      format: 'esm',
      tsconfigRaw: '{}',
      target: 'es2022',
      loader: { '.svg': 'copy' },
      metafile: true,
      logLevel: 'warning',
    }),
  ]);
  // The page names its files by what is in them, so that browsers may keep them for ever.
  let html = readFileSync(path.join(HERE, 'page', 'index.html'), 'utf8');
  for (const [file, { entryPoint }] of Object.entries(page.metafile.outputs)) {
    if (entryPoint) html = html.replaceAll(`/${path.basename(entryPoint)}`, `/assets/${path.basename(file)}`);
  }
  writeFileSync(path.join(publicFolder, 'index.html'), html);
}

if (require.main === module) {
  buildAll().catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });
}
