import { join } from 'node:path';
import { build } from 'esbuild';

const ROOT = join(__dirname, '..');
/** Where the page's style and script lie, packed, for its function. */
export const PAGE_ASSETS = 'lambdas/serve-page/assets.json';

/** Packs the page's style and script as they go into the page. */
export async function packPage(): Promise<{ style: string; script: string }> {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: ['web/style.css', 'web/client.ts'],
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
  return { style: textOf('.css'), script: textOf('.js') };
}
