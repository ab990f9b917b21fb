import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseDocument } from 'yaml';
import { InvalidConfig, parseConfig } from '../../lib/config/load';

/**
 * Set-ups that others have published, each as the cluster.yaml that comes closest. Its head says where it is from (`# Of:`), what of
 * it cannot be expressed (`# Not: <path>: <value>`), and what somebody who tries is told (`#   -> …`).
 */
const FOLDER = join(__dirname, 'setups');
const SETUPS = readdirSync(FOLDER).map((file) => {
  const text = readFileSync(join(FOLDER, file), 'utf8');
  const missing = [...text.matchAll(/^# Not: (\S+): (.+)\n# {3}-> (.+)$/gm)].map(
    ([, path = '', value = '', message = '']) => ({ path, value, message }),
  );
  return { file, text, missing };
});

test('they are of the five tools that people come from', () => {
  expect(SETUPS.length).toBeGreaterThanOrEqual(18);
  expect(new Set(SETUPS.map(({ file }) => file.split('-')[0]))).toEqual(
    new Set(['eksctl', 'karpenter', 'kops', 'skypilot', 'terraform']),
  );
  for (const { text, missing } of SETUPS) {
    expect(text).toMatch(/^# Of: \S/);
    expect(missing.length).toBeGreaterThan(0);
  }
});

describe.each(SETUPS)('$file', ({ text, missing }) => {
  test('is a cluster, and keeps what was asked for', () => {
    const config = parseConfig(text);
    const asked = parse(text) as { pools: { taints?: object[] }[] };
    // A GPU pool beside others gets a taint more.
    const pools = asked.pools.map(
      ({ taints = [], ...pool }) =>
        expect.objectContaining({ ...pool, taints: expect.arrayContaining(taints) as object }) as object,
    );
    expect(config).toMatchObject({ ...asked, pools });
  });

  test.each(missing)('$path: $value is refused by name', ({ path, value, message }) => {
    const document = parseDocument(text);
    const steps = path.split(/[.[\]]+/).filter(Boolean);
    document.setIn(
      steps.map((step) => (/^\d+$/.test(step) ? Number(step) : step)),
      document.createNode(parse(value)),
    );
    let problems: readonly string[] = [];
    try {
      parseConfig(document.toString());
    } catch (error) {
      if (!(error instanceof InvalidConfig)) throw error;
      ({ problems } = error);
    }
    expect(problems.join('\n')).toContain(message);
  });
});
