import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { CommandFailed, tail } from '../../cli/terminal/errors';
import { ROOT } from './paths';

/** The project's own virtual environment; DROWSE_VENV puts it elsewhere. */
const VENV = process.env.DROWSE_VENV ?? path.join(ROOT, '.venv');
const PYTHON = path.join(VENV, 'bin', 'python');
const MARKER = path.join(VENV, 'requirements.sha256');

/**
 * Makes sure that the Python packages of the given requirement files are installed in the project's own virtual
 * environment, and returns its interpreter. Quick when nothing changed; a half-made environment is made anew.
 * @throws CommandFailed no Python, no venv module, or the packages can't be had
 */
export async function ensurePython(requirements: readonly string[], signal: AbortSignal): Promise<string> {
  const files = requirements.map((file) => path.join(ROOT, file));
  const wanted = createHash('sha256')
    .update(files.map((file) => readFileSync(file, 'utf8')).join('\0'))
    .digest('hex');
  if (existsSync(PYTHON) && existsSync(MARKER) && readFileSync(MARKER, 'utf8').split('\n').includes(wanted)) {
    return PYTHON;
  }
  if (!existsSync(MARKER)) await createVenv(signal);
  const pip = await execa(
    PYTHON,
    [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--disable-pip-version-check',
      '--no-input',
      ...files.flatMap((file) => ['-r', file]),
    ],
    { reject: false, all: true, signal },
  );
  signal.throwIfAborted();
  if (pip.failed) {
    throw new CommandFailed(
      `The Python packages of ${requirements.join(' and ')} could not be installed into ${VENV}`,
      'Check the network (the first run downloads them from PyPI; behind a proxy set HTTPS_PROXY or PIP_INDEX_URL), then run the command again.',
      tail(pip.all ?? ''),
    );
  }
  // One line a set of requirements: the set with test tools contains the one without.
  writeFileSync(MARKER, `${existsSync(MARKER) ? readFileSync(MARKER, 'utf8') : ''}${wanted}\n`);
  return PYTHON;
}

async function createVenv(signal: AbortSignal): Promise<void> {
  rmSync(VENV, { recursive: true, force: true });
  const made = await execa('python3', ['-m', 'venv', VENV], { reject: false, all: true, signal });
  signal.throwIfAborted();
  if (!made.failed) return;
  rmSync(VENV, { recursive: true, force: true });
  if ((made as { code?: string }).code === 'ENOENT') {
    throw new CommandFailed(
      'python3 was not found',
      'Install Python 3.10 or newer (Debian: apt-get install python3 python3-venv).',
    );
  }
  throw new CommandFailed(
    `Python could not make a virtual environment in ${VENV}`,
    'Install its venv module (Debian: apt-get install python3-venv), then run the command again.',
    tail(made.all ?? ''),
  );
}
