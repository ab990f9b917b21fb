import path from 'node:path';
import { AwsClient } from 'aws4fetch';
import { execa } from 'execa';
import { ACCOUNT } from '../local/run/environment';
import { BIN, ROOT } from '../local/run/paths';

/** What the product promises of a warm answer (ms). */
const LIMIT_MS = 100;
/** Answers whose median counts, after the first, for which the function starts. */
const ANSWERS = 30;
const REGION = 'us-east-1';

/** How long `GET /status` takes on the embedded AWS, warm: the median over many answers. */
export async function measureStatus() {
  const env = { ...process.env, PATH: `${BIN}${path.delimiter}${process.env.PATH ?? ''}` };
  const local = (...args: string[]) => execa('node', ['--import', 'tsx', 'local/main.ts', ...args], { cwd: ROOT, env });
  const { stderr } = await local('up', '--keep');
  try {
    const url = /^ {2}HTTP API +(\S+)$/m.exec(stderr)?.[1] ?? '';
    const client = new AwsClient({
      accessKeyId: ACCOUNT,
      secretAccessKey: 'local',
      service: 'execute-api',
      region: REGION,
    });
    const times: number[] = [];
    for (let n = 0; n <= ANSWERS; n += 1) {
      const start = performance.now();
      const answer = await client.fetch(`${url}/status`);
      await answer.text();
      if (!answer.ok) throw new Error(`GET /status answers ${String(answer.status)}`);
      if (n > 0) times.push(performance.now() - start);
    }
    times.sort((a, b) => a - b);
    const ms = Math.round(times[Math.floor(times.length / 2)] ?? Infinity);
    return { ok: ms <= LIMIT_MS, medianMs: ms, limitMs: LIMIT_MS, slowestMs: Math.round(times.at(-1) ?? 0) };
  } finally {
    await local('down');
  }
}
