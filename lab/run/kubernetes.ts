import { GetParameterCommand } from '@aws-sdk/client-ssm';
import { execa } from 'execa';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { CommandFailed, tail } from '../../cli/terminal/errors';
import { OUT } from '../../local/run/paths';
import type { Session } from './session';

interface Kubeconfig {
  clusters: { cluster: { server: string } }[];
}

/** The operator's own way to the cluster: real `kubectl`, through the door of the room. */
export class Kubernetes {
  readonly kubeconfig = path.join(OUT, 'lab.kubeconfig');

  constructor(private readonly session: Session) {}

  /**
   * Writes the kubeconfig that the seat stored at its last boot, with the door's port in it.
   * @throws CommandFailed no seat has stored one yet
   */
  async connect(): Promise<void> {
    const { aws, config, room } = this.session;
    const name = `/drowse/${config.name}/kubeconfig`;
    const { Parameter } = await aws.ssm.send(new GetParameterCommand({ Name: name, WithDecryption: true }));
    const door = (await room.machines()).find((machine) => machine.door !== null)?.door;
    const stored = parse(Parameter?.Value ?? '') as Kubeconfig;
    const [entry] = stored.clusters;
    if (!entry || typeof door !== 'number')
      throw new CommandFailed(
        `${name} is no kubeconfig`,
        'See local/out/emulator.log: the seat stores it at each boot.',
      );
    entry.cluster.server = `https://127.0.0.1:${String(door)}`;
    writeFileSync(this.kubeconfig, stringify(stored), { mode: 0o600 });
  }

  /**
   * Runs kubectl; returns its standard output.
   * @throws CommandFailed with kubectl's words
   */
  async kubectl(args: readonly string[], input?: string): Promise<string> {
    const result = await execa(this.session.programs.kubectl ?? 'kubectl', ['--request-timeout=20s', ...args], {
      env: { KUBECONFIG: this.kubeconfig },
      reject: false,
      ...(input !== undefined && { input }),
    });
    if (result.failed)
      throw new CommandFailed(`kubectl ${args.join(' ')} failed`, 'See local/out/emulator.log.', tail(result.stderr));
    return result.stdout;
  }

  /** The items of a list, as JSON. */
  async list<T>(args: readonly string[]): Promise<T[]> {
    return (JSON.parse(await this.kubectl(['get', ...args, '--output', 'json'])) as { items: T[] }).items;
  }

  /** True as soon as something is so, false after the bound; an error counts as not yet. */
  async within(seconds: number, predicate: () => Promise<boolean>): Promise<boolean> {
    const ends = Date.now() + seconds * 1000;
    for (;;) {
      this.session.signal.throwIfAborted();
      if (await predicate().catch(() => false)) return true;
      if (Date.now() > ends) return false;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}
