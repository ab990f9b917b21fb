import { AppNotReachable, CertificateExpired, CertificateNotValid } from '../step/errors';
import type { HttpsAnswer } from '../clients/https';

/** A certificate as browsers want it: not expired, of this host, and, if it should be, signed by somebody they know. */
export function checkCertificate(
  { validTo, hostProblem, chainProblem }: HttpsAnswer['certificate'],
  { host, trusted, now }: { host: string; trusted: boolean; now: number },
): void {
  if (Date.parse(validTo) <= now) {
    throw new CertificateExpired(`The certificate of ${host} expired at ${validTo}; cert-manager renews it`);
  }
  if (hostProblem !== undefined)
    throw new CertificateNotValid(`The certificate is not that of ${host}: ${hostProblem}`);
  if (trusted && chainProblem !== undefined) {
    throw new CertificateNotValid(`The certificate of ${host} is signed by nobody known: ${chainProblem}`);
  }
}

/** An answer of the app, rather than of an ingress that has nothing to show for this host. */
export function checkStatus({ status, location }: HttpsAnswer, url: string, host: string): void {
  const target = location === undefined ? undefined : new URL(location, `https://${host}`).hostname;
  if (status < 400 && target !== undefined && target !== host) {
    throw new AppNotReachable(`${url} leads to ${target}`);
  }
  // An app behind a login is up.
  if (status >= 400 && status !== 401 && status !== 403) throw new AppNotReachable(`${url} answers ${status}`);
}
