import { generateKeyPairSync, sign } from 'node:crypto';

/** A key that was made here and leaves this machine in no way, and a request for a certificate of it. */
export interface KeyAndRequest {
  /** PEM. */
  key: string;
  /** PKCS #10 as DER, in base64. It names nobody: whoever signs it knows who asks. */
  request: string;
}

/** Makes a key (P-256), and a certificate request that proves that its owner asks (RFC 2986). */
export function makeRequest(): KeyAndRequest {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const version = Buffer.from([0x02, 0x01, 0x00]);
  const noSubject = Buffer.from([0x30, 0x00]);
  const noAttributes = Buffer.from([0xa0, 0x00]);
  const information = sequence(version, noSubject, publicKey.export({ type: 'spki', format: 'der' }), noAttributes);
  const signature = sign('sha256', information, privateKey);
  // ecdsa-with-SHA256, 1.2.840.10045.4.3.2 (RFC 5758).
  const algorithm = sequence(Buffer.from('06082a8648ce3d040302', 'hex'));
  const unusedBits = Buffer.from([0x00]);
  const request = sequence(information, algorithm, element(0x03, unusedBits, signature));
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    request: request.toString('base64'),
  };
}

function sequence(...parts: Buffer[]): Buffer {
  return element(0x30, ...parts);
}

/** One element of DER. All that is made here is shorter than 256 bytes. */
function element(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const length = content.length < 0x80 ? [content.length] : [0x81, content.length];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}
