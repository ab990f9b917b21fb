import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** Makes a self-signed certificate and its key as PEM files, `<name>.crt` and `<name>.key`; gives both paths. */
export function selfSigned(
  folder: string,
  name: string,
  subject: string,
  ...extensions: readonly string[]
): { key: string; certificate: string } {
  const [key, certificate] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)];
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30'];
  const names = extensions.flatMap((extension) => ['-addext', extension]);
  execFileSync('openssl', [...request, '-subj', `/CN=${subject}`, ...names, '-keyout', key, '-out', certificate], {
    stdio: 'ignore',
  });
  return { key, certificate };
}
