import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { API_PORT } from '../../../core/config/names';
import { CommandFailed } from '../../terminal/errors';
import { attend } from '../child';
import { findSeat } from '../find-nodes';
import { credentialsFor } from '../reach/personal';
import { type Door, findDoor, tunnelServer } from '../reach/door';
import { entriesOf, kubeconfigOf } from '../reach/kubeconfig';
import { apiPort, openSession } from '../reach/session';
import { type Target, type TargetOptions, targetOf } from '../target';

export interface KubectlOptions extends TargetOptions {
  tunnel?: boolean;
  administrator?: boolean;
}

/** A tunnel that does not stand by then does not come (ms). */
const TUNNEL_MS = 30_000;

/** Runs kubectl on the cluster, through a tunnel where there is no other way, with a kubeconfig that is gone afterwards. */
export async function kubectl(args: readonly string[], options: KubectlOptions, signal: AbortSignal): Promise<number> {
  const target = targetOf(options);
  const [door, credentials] = await Promise.all([
    findDoor(target, options.tunnel === true),
    credentialsFor(target, { administrator: options.administrator === true }, signal),
  ]);
  return throughDoor(target, door, signal, async (server) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'drowse-kubectl-'));
    try {
      const file = path.join(folder, 'kubeconfig');
      const entries = entriesOf(target, credentials, server, target.cluster);
      writeFileSync(file, JSON.stringify(kubeconfigOf(entries)), { mode: 0o600 });
      const remedy = 'Install kubectl: https://kubernetes.io/docs/tasks/tools/';
      return await attend('kubectl', args, { env: { KUBECONFIG: file }, remedy }, signal);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

/** Does something while the door is open: a tunnel is opened before, and closed afterwards. */
async function throughDoor(
  target: Target,
  door: Door,
  signal: AbortSignal,
  use: (server: string) => Promise<number>,
): Promise<number> {
  if (door.through === 'load-balancer') return use(door.server);
  const seat = await findSeat(target);
  const port = await freePort();
  const close = new AbortController();
  const session = apiPort(API_PORT, port);
  const open = AbortSignal.any([signal, close.signal]);
  const tunnel = openSession(target, seat.id, { session, quietOutput: true, ends: close.signal }, open);
  try {
    await Promise.race([answers(port, signal), tunnel.then((code) => Promise.reject(ended(code)))]);
    return await use(tunnelServer(port));
  } finally {
    close.abort();
    await tunnel.catch(() => undefined);
  }
}

function ended(code: number): CommandFailed {
  return new CommandFailed(`The tunnel ended with ${String(code)} before it stood`, 'What it says above tells why.');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function answers(port: number, signal: AbortSignal): Promise<void> {
  for (const end = Date.now() + TUNNEL_MS; ;) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
    if (open) return;
    if (Date.now() > end) {
      throw new CommandFailed('The tunnel does not stand', 'drowse tunnel shows what the plugin says.');
    }
    await pause(200, undefined, { signal });
  }
}
