import { join } from 'node:path';
import { build } from 'esbuild';

const ROOT = join(__dirname, '..');
/** Where the page's style and script lie, packed, for its function. */
export const PAGE_ASSETS = 'lambdas/serve-page/assets.json';

/** Packs the style and the scripts of the page, and of the one that waits for the app, as they go into them. */
export async function packPage(): Promise<{ style: string; script: string; waiting: string }> {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: ['web/style.css', 'web/client.ts', 'web/waiting.ts'],
    outdir: 'dist/web',
    write: false,
    bundle: true,
    minify: true,
    format: 'iife',
    target: ['es2022', 'chrome110', 'firefox115', 'safari16'],
    tsconfigRaw: '{}',
    legalComments: 'none',
    charset: 'utf8',
    logLevel: 'warning',
  });
  const textOf = (ending: string) => outputFiles.find(({ path }) => path.endsWith(ending))?.text.trim() ?? '';
  return { style: textOf('style.css'), script: textOf('client.js'), waiting: textOf('waiting.js') };
}
