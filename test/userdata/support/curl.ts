import { parseArgs } from 'node:util';
import type { Answer } from './cloud-services';
import type { Played, Player } from './player';
import type { Sandbox } from './sandbox';

/** The options of curl that the node scripts use. */
const OPTIONS = {
  ...Object.fromEntries(
    ['silent', 'show-error', 'fail', 'fail-early', 'location', 'head', 'retry-connrefused', 'retry-all-errors'].map(
      (name) => [name, { type: 'boolean' }] as const,
    ),
  ),
  ...Object.fromEntries(
    ['aws-sigv4', 'cacert', 'config', 'data-binary', 'max-time', 'output', 'request', 'retry', 'upload-file'].map(
      (name) => [name, { type: 'string' }] as const,
    ),
  ),
  'write-out': { type: 'string' },
  header: { type: 'string', multiple: true },
  'data-urlencode': { type: 'string', multiple: true },
} as const;
/** Exit codes that the scripts tell apart, or might. */
const CODE = { ok: 0, unresolved: 6, refused: 7, httpError: 22, empty: 52 };
/** What curl's --retry repeats. */
const REPEATED = [408, 429, 500, 502, 503, 504];

/**
 * curl, for the hundreds of runs that are compared with one in which the real one was used: each start of that takes as long
 * as all that the test does with the request. What it signs is not looked at here; its requests get the cloud's answers.
 */
export function playCurl(sandbox: Sandbox): Player {
  return (words, inputs) => {
    const { values, positionals } = parseArgs({ args: [...words], options: OPTIONS, allowPositionals: true });
    const named = values as Partial<Record<string, string>> & { header?: string[]; 'data-urlencode'?: string[] };
    const rest = [...inputs];
    const config = named.config === undefined ? '' : rest.shift()!;
    const form = named['data-urlencode']?.map((pair) => {
      const [key = '', ...value] = pair.split('=');
      return `${key}=${encodeURIComponent(value.join('='))}`;
    });
    const upload = named['upload-file'];
    const [body, method] =
      upload !== undefined
        ? [sandbox.bytes(upload), 'PUT']
        : named['data-binary'] !== undefined
          ? [rest.shift()!, 'POST']
          : form !== undefined
            ? [form.join('&'), 'POST']
            : ['', 'head' in named ? 'HEAD' : 'GET'];
    const headers = [...(named.header ?? []), ...[...config.matchAll(/^header = "(.*)"$/gm)].map(([, text]) => text!)];
    const request = { method: named.request ?? method, headers, body: Buffer.from(body) };
    const service = named['aws-sigv4']?.split(':').at(-1);

    let stdout = '';
    for (const url of positionals) {
      const own = ownEndpoint(sandbox, url);
      if (own !== undefined && own.code !== CODE.ok) return own;
      const answer: Answer | undefined =
        own === undefined
          ? send(sandbox, new URL(url), request, service, Number(named.retry ?? 0))
          : { status: 200, body: own.stdout ?? '' };
      if (answer === undefined) return { code: CODE.empty };
      if (answer.status >= 400 && 'fail' in named) return { code: CODE.httpError };
      const text = method === 'HEAD' ? headText(answer) : answer.body;
      if (named.output === undefined) stdout += text.toString();
      else if (named.output !== '/dev/null') sandbox.write(named.output, text);
      stdout += (named['write-out'] ?? '').replace('%{http_code}', String(answer.status));
    }
    return { code: CODE.ok, stdout };
  };
}

/** What a package repository answers. */
export const keyOf = (url: string): string => `key of ${url}\n`;

/** What is not the cloud: a node's kubelet, the API servers of other seats, package repositories. */
function ownEndpoint(sandbox: Sandbox, url: string): Played | undefined {
  const { host, hostname, pathname } = new URL(url);
  if (host === '127.0.0.1:10248') return { code: CODE.ok, stdout: sandbox.has('run/kubelet-running') ? 'ok' : '' };
  if (pathname === '/readyz') return { code: sandbox.has('test/world/other-seats-up') ? CODE.ok : CODE.refused };
  if (!['pkgs.k8s.io', 'artifacts.k8s.io', 'download.docker.com', 'nvidia.github.io'].includes(hostname))
    return undefined;
  if (sandbox.has('test/world/repositories-down')) return { code: CODE.unresolved };
  return { code: CODE.ok, stdout: keyOf(url) };
}

function send(
  sandbox: Sandbox,
  { host, pathname, search }: URL,
  { method, headers, body }: { method: string; headers: readonly string[]; body: Buffer },
  service: string | undefined,
  retries: number,
): Answer | undefined {
  const named = headers.map((line) => /^([^:]+): *(.*)$/.exec(line)!);
  const heads = {
    method,
    url: pathname + search,
    headers: { host, ...Object.fromEntries(named.map(([, name, value]) => [name!.toLowerCase(), value!])) },
  };
  const signedFor = (): string => {
    if (service === undefined) throw new Error('not signed');
    return service;
  };
  let answer = sandbox.cloud.answer(heads, body, signedFor);
  for (let left = retries; left > 0 && REPEATED.includes(answer?.status ?? 0); left--)
    answer = sandbox.cloud.answer(heads, body, signedFor);
  return answer;
}

function headText({ status, headers = {} }: Answer): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${String(status)}\r\n${lines.join('')}\r\n`;
}
