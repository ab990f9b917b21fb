import { join } from 'node:path';
import { ROOT } from './stacks';

/** The real kubectl, which comes with the Python packages of the tests. */
export function kubectlFile(): string {
  return join(process.env.DROWSE_VENV ?? join(ROOT, '.venv'), 'bin', 'kubectl');
}
