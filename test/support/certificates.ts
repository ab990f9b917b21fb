import { createSign, generateKeyPairSync } from 'node:crypto';
import forge from 'node-forge';

/** A certificate and its key, in PEM. */
export interface Certified {
  cert: string;
  key: string;
}

/** One pair for all: what is shown is who signed what, not who knows a key. */
const KEYS = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});
const HOUR_MS = 3600_000;
const SUBJECT_ALT_NAME = 'subjectAltName';
const DNS_NAME = 2;

/** An authority of a test's own; nobody else knows it. */
export function makeAuthority(): Certified {
  return certify({ name: 'An authority for tests', extensions: [{ name: 'basicConstraints', cA: true }] });
}

/**
 * A certificate of a host, valid from a day ago until so many hours from now (a negative number: it has expired).
 * Without an authority it signs itself.
 */
export function makeCertificate(host: string, { hours = 24, by }: { hours?: number; by?: Certified } = {}): Certified {
  const altNames = [{ type: DNS_NAME, value: host }];
  return certify({ name: host, hours, extensions: [{ name: SUBJECT_ALT_NAME, altNames }], ...(by && { by }) });
}

function certify({
  name,
  hours = 24,
  extensions,
  by,
}: {
  name: string;
  hours?: number;
  extensions: object[];
  by?: Certified;
}): Certified {
  const { publicKey, privateKey } = KEYS;
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKey);
  certificate.serialNumber = `0${Math.floor(Math.random() * 2 ** 40).toString(16)}`;
  certificate.validity.notBefore = new Date(Date.now() - 24 * HOUR_MS);
  certificate.validity.notAfter = new Date(Date.now() + hours * HOUR_MS);
  const subject = [{ name: 'commonName', value: name }];
  certificate.setSubject(subject);
  certificate.setIssuer(by ? forge.pki.certificateFromPem(by.cert).subject.attributes : subject);
  certificate.setExtensions(extensions);
  certificate.sign(signer(certificate, by?.key ?? privateKey), forge.md.sha256.create());
  return { cert: forge.pki.certificateToPem(certificate), key: privateKey };
}

/** A key as forge calls it, that signs with Node's own cryptography: forge's takes seconds in a test's sandbox. */
function signer(certificate: forge.pki.Certificate, key: string): forge.pki.rsa.PrivateKey {
  const sign = () => {
    const { tbsCertificate } = certificate as unknown as { tbsCertificate: forge.asn1.Asn1 };
    const bytes = Buffer.from(forge.asn1.toDer(tbsCertificate).getBytes(), 'binary');
    return createSign('sha256').update(bytes).sign(key, 'binary');
  };
  return { sign } as unknown as forge.pki.rsa.PrivateKey;
}
