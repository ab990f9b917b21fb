import { createHash, createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Keys of the role that the metadata service of the tests hands out. */
export const ACCESS_KEY = 'ASIATESTTESTTESTTEST';
export const SECRET_KEY = 'test/secret+key';
export const SESSION_TOKEN = 'test-session-token==';

const hash = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest();

/** What a verified request says about itself. */
export interface Signature {
  readonly service: string;
  readonly region: string;
}

/**
 * Verifies AWS Signature Version 4 of a request as AWS does, from the published algorithm, so that curl's signing is tested
 * and not believed. Throws with what is wrong.
 */
export function verifySignature(request: IncomingMessage, body: Buffer): Signature {
  const signed = new URL(request.url ?? '/', 'https://host').searchParams;
  if (signed.has('X-Amz-Signature')) return verifyAddress(request, signed);
  const header = (name: string): string => {
    const value = request.headers[name];
    if (typeof value !== 'string') throw new Error(`no ${name} header`);
    return value.trim().replace(/ +/g, ' ');
  };
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d+)\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]+)$/.exec(
      header('authorization'),
    );
  if (match === null) throw new Error(`not a signature: ${header('authorization')}`);
  const [, accessKey, date, region, service, signedHeaders, signature] = match as unknown as Required<string[]>;
  if (accessKey !== ACCESS_KEY) throw new Error('unknown access key');
  if (header('x-amz-security-token') !== SESSION_TOKEN) throw new Error('wrong session token');
  const url = new URL(request.url ?? '/', 'https://host');
  const query = [...url.searchParams]
    .map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`)
    .sort()
    .join('&');
  const claimed = request.headers['x-amz-content-sha256'];
  const payload = typeof claimed === 'string' ? claimed : hash(body);
  if (payload !== 'UNSIGNED-PAYLOAD' && payload !== hash(body)) throw new Error('the body does not have its digest');
  const names = signedHeaders!.split(';');
  if (!names.includes('host') || !names.includes('x-amz-security-token'))
    throw new Error('host or token is not signed');
  const canonical = [
    request.method,
    url.pathname,
    query,
    ...names.map((name) => `${name}:${header(name)}`),
    '',
    signedHeaders,
    payload,
  ].join('\n');
  const scope = `${date!}/${region!}/${service!}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', header('x-amz-date'), scope, hash(canonical)].join('\n');
  const key = [date!, region!, service!, 'aws4_request'].reduce<string | Buffer>(
    (k, part) => hmac(k, part),
    `AWS4${SECRET_KEY}`,
  );
  if (createHmac('sha256', key).update(toSign).digest('hex') !== signature)
    throw new Error('the signature does not match');
  return { service: service!, region: region! };
}

/** The same of an address that carries its signature, and is good for a while for one method. */
function verifyAddress(request: IncomingMessage, signed: URLSearchParams): Signature {
  const value = (name: string): string => signed.get(`X-Amz-${name}`) ?? '';
  const [accessKey, date, region, service] = value('Credential').split('/') as [string, string, string, string];
  if (accessKey !== ACCESS_KEY || value('Security-Token') !== SESSION_TOKEN) throw new Error('unknown credentials');
  if (value('SignedHeaders') !== 'host') throw new Error('more or less than the host is signed');
  const at = value('Date').replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z');
  const age = (Date.now() - Date.parse(at)) / 1000;
  if (!(age > -60 && age < Number(value('Expires')))) throw new Error('the address has run out');
  const query = [...signed]
    .filter(([key]) => key !== 'X-Amz-Signature')
    .map(([key, text]) => `${encodeURIComponent(key)}=${encodeURIComponent(text)}`)
    .sort()
    .join('&');
  const path = (request.url ?? '').replace(/\?.*/, '');
  const canonical = [request.method, path, query, `host:${request.headers.host ?? ''}`, '', 'host', 'UNSIGNED-PAYLOAD'];
  const scope = `${date}/${region}/${service}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', value('Date'), scope, hash(canonical.join('\n'))].join('\n');
  const key = scope.split('/').reduce<string | Buffer>((k, part) => hmac(k, part), `AWS4${SECRET_KEY}`);
  if (createHmac('sha256', key).update(toSign).digest('hex') !== value('Signature'))
    throw new Error('the signature of the address does not match');
  return { service, region };
}
