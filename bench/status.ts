import { AwsClient } from 'aws4fetch';
import { ACCOUNT } from '../local/run/environment';

/** What the product promises of a warm answer (ms). */
const LIMIT_MS = 100;
/** Answers whose median counts, after the first, for which the function starts. */
const ANSWERS = 30;

/**
 * How long `GET /status` takes on an embedded AWS that is up, warm: the median over many answers.
 * @param apiUrl of the HTTP API there
 */
export async function measureStatus(apiUrl: string) {
  const client = new AwsClient({
    ...{ accessKeyId: ACCOUNT, secretAccessKey: 'local' },
    ...{ service: 'execute-api', region: 'us-east-1' },
  });
  const times: number[] = [];
  for (let n = 0; n <= ANSWERS; n += 1) {
    const start = performance.now();
    const answer = await client.fetch(`${apiUrl}/status`);
    await answer.text();
    if (!answer.ok) throw new Error(`GET /status answers ${String(answer.status)}`);
    if (n > 0) times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  const ms = Math.round(times[Math.floor(times.length / 2)] ?? Infinity);
  return { ok: ms <= LIMIT_MS, medianMs: ms, limitMs: LIMIT_MS, slowestMs: Math.round(times.at(-1) ?? 0) };
}
