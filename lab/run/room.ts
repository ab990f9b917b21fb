import { existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CommandFailed } from '../../cli/terminal/errors';
import type { ClusterConfig } from '../../core/config/schema';
import { buildNodeBundle, nodeInstall } from '../../lib/node';
import { OUT } from '../../local/run/paths';
import type { LabCache } from '../cache/fill';
import { placeOf } from '../cache/step';

/** Roles that have an image of their own; pools with GPUs have no GPU here. */
const ROLES = ['seat', 'pool'] as const;

/** Writes what the embedded AWS reads as DROWSE_LAB; returns the file. */
export function writeCacheFile(cache: LabCache): string {
  mkdirSync(OUT, { recursive: true });
  const file = path.join(OUT, 'lab-cache.json');
  writeFileSync(file, JSON.stringify(cache, null, 2));
  return file;
}

/** A machine as the embedded AWS describes it. */
export interface MachineFacts {
  instanceId: string;
  role: string;
  state: string;
  phase: string;
  boots: number;
  /** When its power came on, in seconds since 1970. */
  startedAt: number;
  /** When it came to each phase of its latest boot, in the same seconds. */
  phases: { at: number; phase: string }[];
  /** Its systemd's process ID on this machine; null when it is off. */
  pid: number | null;
  /** Port on 127.0.0.1 that leads to the Kubernetes API. */
  door: number | null;
}

/** The lab's part of the control endpoint. */
export class Room {
  constructor(private readonly endpoint: string) {}

  async machines(): Promise<MachineFacts[]> {
    const { nodes } = (await (await fetch(`${this.endpoint}/_drowse/plugin`)).json()) as { nodes: MachineFacts[] };
    return nodes;
  }

  /** Cuts a machine's power: every process in it is killed at once. EC2 goes on saying that it runs. */
  cut(instanceId: string): Promise<void> {
    return this.post(`machines/${instanceId}/cut`);
  }

  /** Gives a machine power again. */
  boot(instanceId: string): Promise<void> {
    return this.post(`machines/${instanceId}/boot`);
  }

  /** Loses what is on a volume that is not attached. */
  blank(volumeId: string): Promise<void> {
    return this.post(`volumes/${volumeId}/blank`);
  }

  /**
   * Bakes the images that machines start from, unless the cache has those of this very node bundle.
   * @param onMake called before a bake
   */
  async bake(config: ClusterConfig, cache: LabCache, onMake: (what: string) => void): Promise<void> {
    const { file, sha256 } = buildNodeBundle(nodeInstall(config.kubernetes.version), path.join(OUT, 'lab-bundle'));
    const words = [sha256, cache.rootfs, cache.archives, cache.images[0] ?? ''];
    for (const role of ROLES) {
      const into = placeOf({ name: `image-${role}`, files: [], words });
      const log = path.join(OUT, `bake-${role}.log`);
      if (!existsSync(into)) {
        onMake(`image of a ${role}`);
        await this.post('machines/bake', { role, digest: sha256, bundle: file, into, log });
      }
      const now = new Date();
      utimesSync(into, now, now);
      cache.baked[role] = into;
    }
    await this.post('machines/images', cache.baked);
  }

  private async post(what: string, body: unknown = {}): Promise<void> {
    const answer = await fetch(`${this.endpoint}/_drowse/${what}`, { method: 'POST', body: JSON.stringify(body) });
    if (answer.ok) return;
    const { error } = (await answer.json()) as { error: string };
    throw new CommandFailed(`The lab refuses ${what}`, 'See local/out/emulator.log and local/out/bake-*.log.', error);
  }
}
