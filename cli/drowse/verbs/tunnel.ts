import { createServer } from 'node:net';
import { API_PORT } from '../../../core/config/names';
import { CommandFailed, EXIT } from '../../terminal/errors';
import { answer } from '../answers';
import { findNodes, findSeat } from '../find-nodes';
import { tunnelServer } from '../reach/door';
import { apiPort, findPlugin, openSession } from '../reach/session';
import { count } from '../span';
import { type TargetOptions, targetOf } from '../target';

export interface TunnelOptions extends TargetOptions {
  port: string;
}

/** Leads a port of this machine to the Kubernetes API, until Ctrl-C. */
export async function tunnel(options: TunnelOptions, signal: AbortSignal): Promise<number> {
  const target = targetOf(options);
  const port = count('--port', options.port, 65_535);
  findPlugin();
  await requireFree(port);
  const seat = await findSeat(target);
  const server = tunnelServer(port);
  if (options.json) answer('tunnel', { server, node: seat.id });
  else {
    console.log(target.description);
    console.log(`${server} leads to the Kubernetes API on ${seat.id}, until Ctrl-C.`);
  }
  const session = apiPort(API_PORT, port);
  const code = await openSession(target, seat.id, { session, quietOutput: options.json === true }, signal);
  signal.throwIfAborted();
  if (code === 0) return EXIT.done;
  throw new CommandFailed(`The tunnel ended with ${String(code)}`, 'What it says above tells why.');
}

/** Opens a shell on a node, by Session Manager. */
export async function shell(name: string, options: TargetOptions, signal: AbortSignal): Promise<number> {
  const target = targetOf(options);
  findPlugin();
  const nodes = await findNodes(target, name);
  const [node] = nodes;
  if (node === undefined || nodes.length > 1) {
    throw new CommandFailed(
      `There are several nodes ${name}`,
      `Name one: ${nodes.map(({ id }) => id).join(', ')}.`,
      '',
      EXIT.wrongUse,
    );
  }
  console.error(`A shell on ${node.id} of ${target.description}. exit leaves it.`);
  return (await openSession(target, node.id, {}, signal)) === 0 ? EXIT.done : EXIT.failed;
}

/** @throws CommandFailed if something listens on the port: the plugin would only say that later, and in its own words */
async function requireFree(port: number): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'something listens there' : error.message;
      reject(
        new CommandFailed(
          `Port ${String(port)} of this machine cannot be used: ${why}`,
          'Choose another: --port 16443.',
        ),
      );
    });
    server.listen(port, '127.0.0.1', resolve);
  });
  await new Promise((resolve) => server.close(resolve));
}
