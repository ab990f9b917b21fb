import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '..');
const read = (file: string) => JSON.parse(readFileSync(join(ROOT, file), 'utf8')) as Record<string, object>;

test('all clients of the AWS SDK are of one version', () => {
  const { dependencies, devDependencies } = read('package.json') as Record<string, Record<string, string>>;
  const clients = Object.entries({ ...dependencies, ...devDependencies }).filter(([name]) =>
    name.startsWith('@aws-sdk/'),
  );
  expect(clients.length).toBeGreaterThan(10);
  expect(new Set(clients.map(([, version]) => version)).size).toBe(1);
});

test.each(['@aws-sdk/core', '@smithy/core', 'zod'])('there is one copy of %s', (name) => {
  const copies = Object.keys(read('package-lock.json').packages ?? {}).filter((path) =>
    path.endsWith(`node_modules/${name}`),
  );
  expect(copies).toEqual([`node_modules/${name}`]);
});

/** Licences under which a dependency may be, for people and for tests. */
const ALLOWED = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC-BY-4.0',
  'CC0-1.0',
  'ISC',
  // Image libraries of the app, loaded as they are.
  'LGPL-3.0-or-later',
  'MIT',
  'MIT-0',
  'MPL-2.0',
]);

test('every dependency is under a licence that asks nothing of who uses the project', () => {
  const packages = Object.entries(read('package-lock.json').packages ?? {}) as [
    string,
    { license?: string; link?: true },
  ][];
  const others = packages.filter(([path, { license = 'none', link }]) => {
    if (link) return false;
    // `A OR B` is a choice, `A AND B` is both.
    const parts = license.replace(/[()]/g, '').split(' OR ');
    return path !== '' && !parts.some((part) => part.split(' AND ').every((one) => ALLOWED.has(one)));
  });
  expect(others.map(([path, { license }]) => `${path}: ${license ?? 'none'}`)).toEqual([]);
});
