import { cpSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { downloadModule } from '../../lab/binaries/go';
import { CACHE } from '../../lab/binaries/wanted';

/** Where definitions of custom resources are kept that no chart carries; beside the binaries. */
const DEFINITIONS = path.resolve(CACHE, '..', 'definitions');

/**
 * The controllers of the Flux version that platform/flux/installer.yaml installs, as far as the tree uses them: each carries
 * the definitions of its kinds. helm-controller is the newest of its line that the module proxy serves everywhere.
 */
const MODULES = [
  { module: 'github.com/fluxcd/source-controller', version: '1.10.0' },
  { module: 'github.com/fluxcd/kustomize-controller', version: '1.10.0' },
  { module: 'github.com/fluxcd/helm-controller', version: '1.6.4' },
] as const;

const cached = ({ module, version }: (typeof MODULES)[number]) =>
  path.join(DEFINITIONS, `${path.basename(module)}-${version}`);

/**
 * Folders with the definitions of Flux's kinds, from the Go modules of its controllers.
 * @throws CommandFailed there is no Go, or the module proxy can't be reached
 */
export async function definitionFolders(signal: AbortSignal): Promise<string[]> {
  const folders: string[] = [];
  for (const one of MODULES) {
    const folder = cached(one);
    if (!existsSync(folder)) {
      const source = await downloadModule(one.module, one.version, { cwd: tmpdir(), signal });
      cpSync(path.join(source.folder, 'config', 'crd', 'bases'), folder, { recursive: true });
    }
    folders.push(folder);
  }
  return folders;
}
