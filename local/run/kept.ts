import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { OUT } from './paths';

const POLL_MS = 200;
const STOP_WITHIN_MS = 5_000;
const FILE = path.join(OUT, 'kept.json');

/** An embedded AWS that was left up. */
interface Kept {
  pid: number;
  endpoint: string;
  tmpdir: string;
}

export function writeKept(kept: Kept): void {
  writeFileSync(FILE, JSON.stringify(kept));
}

/** The endpoint that an earlier run left up, if it still answers to its process ID. */
export function keptEndpoint(): string | undefined {
  const kept = read();
  return kept && isOurs(kept.pid) ? kept.endpoint : undefined;
}

function read(): Kept | undefined {
  return existsSync(FILE) ? (JSON.parse(readFileSync(FILE, 'utf8')) as Kept) : undefined;
}

/** Stops what was left up, if it still is; says what happened once nothing of it is left. */
export async function stopKept(): Promise<string> {
  const kept = read();
  if (!kept) return 'Nothing was left up.';
  const { pid, endpoint, tmpdir } = kept;
  const running = isOurs(pid);
  for (let waited = 0; isOurs(pid); waited += POLL_MS) {
    process.kill(pid, waited < STOP_WITHIN_MS ? 'SIGTERM' : 'SIGKILL');
    await sleep(POLL_MS);
  }
  rmSync(tmpdir, { recursive: true, force: true, maxRetries: 10, retryDelay: 300 });
  rmSync(FILE);
  return running ? `Stopped the embedded AWS at ${endpoint}.` : `The embedded AWS at ${endpoint} had ended already.`;
}

/** Process IDs are used again: only one that runs our module is ours. */
function isOurs(pid: number): boolean {
  try {
    return readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8').includes('drowse_aws');
  } catch {
    try {
      return process.kill(pid, 0);
    } catch {
      return false; // No such process.
    }
  }
}
