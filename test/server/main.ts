import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { CommandFailed, Interrupted } from '../../cli/terminal/errors';
import { obtainBinaries } from '../../lab/binaries/obtain';
import { wantedOf } from '../../lab/binaries/wanted';
import { ROOT } from '../../local/run/paths';
import { startControlPlane } from './control-plane';
import { chartFolders } from './charts';
import { definitionFolders } from './definitions';
import { PROGRAMS, type Server, SERVER_FILE } from './server';

/**
 * What `make test-platform-server` runs: the tests of this folder, against a real API server on 127.0.0.1 that lives as long
 * as they do.
 */
async function main(): Promise<number> {
  const { positionals } = parseArgs({ allowPositionals: true });
  const version = process.env.KUBERNETES;
  const wanted = PROGRAMS.map((name) =>
    wantedOf(version !== undefined && name.startsWith('kube') ? `${name}@${version}` : name),
  );
  const abort = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => abort.abort(new Interrupted(signal)));
  }
  const charts = chartFolders((line) => console.log(line));
  const paths = await obtainBinaries(wanted, abort.signal, { step: console.log, note: console.log });
  const definitions = await definitionFolders(abort.signal);
  const programs = Object.fromEntries(PROGRAMS.map((name, index) => [name, paths[index]])) as Server['programs'];
  const folder = mkdtempSync(path.join(tmpdir(), 'drowse-server-'));
  let stop = () => Promise.resolve();
  try {
    mkdirSync(path.join(folder, 'control-plane'));
    const controlPlane = await startControlPlane(programs, path.join(folder, 'control-plane'), abort.signal);
    stop = controlPlane.stop;
    const server: Server = {
      kubeconfig: controlPlane.kubeconfig,
      authority: controlPlane.authority,
      programs,
      charts,
      definitions,
      folder,
    };
    writeFileSync(path.join(folder, 'server.json'), JSON.stringify(server));
    const jest = await execa('jest', ['--selectProjects', 'server', '--runInBand', ...positionals], {
      cwd: ROOT,
      preferLocal: true,
      stdio: 'inherit',
      reject: false,
      env: { [SERVER_FILE]: path.join(folder, 'server.json') },
      signal: abort.signal,
    });
    abort.signal.throwIfAborted();
    return jest.exitCode;
  } finally {
    await stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

main()
  .then((exitCode) => (process.exitCode = exitCode))
  .catch((error: unknown) => {
    process.exitCode = error instanceof Interrupted ? error.exitCode : 1;
    if (error instanceof CommandFailed) console.error(error.text);
    else console.error(error instanceof Interrupted ? `${error.message}: everything was stopped and removed.` : error);
  });
