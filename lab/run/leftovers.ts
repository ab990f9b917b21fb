import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { RUNS } from '../cache/paths';

const GROUPS = '/sys/fs/cgroup';

/**
 * Removes what a lab left that was killed: its folder, and empty control groups. The kernel itself ended its processes, mounts,
 * networks and loop devices with it.
 * @returns what was removed, in words; empty if there was nothing
 */
export function sweepLeftovers(runs: string = RUNS, groups: string = GROUPS): string[] {
  const swept: string[] = [];
  const names = existsSync(runs) ? readdirSync(runs) : [];
  const alive = names.filter(isRunning);
  for (const name of names.filter((one) => !alive.includes(one))) {
    rmSync(path.join(runs, name), { recursive: true, force: true });
    swept.push(`the machines of the lab ${name}, which was killed`);
  }
  if (alive.length === 0) {
    const removed = groupsOf(groups).filter(removeGroup).length;
    if (removed > 0) swept.push(`${String(removed)} empty control groups`);
  }
  return swept;
}

/** Process IDs are used again: only one that runs our module is ours. */
function isRunning(pid: string): boolean {
  const file = `/proc/${pid}/cmdline`;
  return existsSync(file) && readFileSync(file, 'utf8').includes('drowse_aws');
}

/** The lab's group in each hierarchy that is mounted. */
function groupsOf(groups: string): string[] {
  const places = [groups, ...(existsSync(groups) ? readdirSync(groups) : []).map((name) => path.join(groups, name))];
  return places.map((place) => path.join(place, 'drowse-lab')).filter((folder) => existsSync(folder));
}

function removeGroup(folder: string): boolean {
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) removeGroup(path.join(folder, entry.name));
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return false; // Something still runs in it: not ours to end.
  }
}
