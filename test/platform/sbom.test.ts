import { execFileSync } from 'node:child_process';
import { readCharts } from '../../lib/platform/charts';
import { ROOT } from '../../local/run/paths';

interface Component {
  'bom-ref': string;
  type: string;
  name: string;
  version: string;
}

test('the bill of materials has packages, charts and images, each once and with a version', () => {
  const printed = execFileSync('node', ['--import', 'tsx', 'scripts/sbom.ts'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const { specVersion, components } = JSON.parse(printed.toString()) as {
    specVersion: string;
    components: Component[];
  };
  expect(specVersion).toBe('1.5');
  const refs = components.map((component) => component['bom-ref']);
  expect(new Set(refs).size).toBe(refs.length);
  expect(components.filter(({ version }) => version === '')).toEqual([]);
  const named = (type: string) => components.filter((one) => one.type === type).map(({ name }) => name);
  expect(named('library')).toEqual(expect.arrayContaining(['zod', '@aws-sdk/client-ec2']));
  expect(named('library')).not.toContain('jest');
  expect(named('application')).toEqual(Object.values(readCharts()).map(({ name }) => name));
  expect(named('container')).toEqual(expect.arrayContaining(['registry.k8s.io/metrics-server/metrics-server']));
});
