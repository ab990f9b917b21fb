import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  hasOfferings,
  INSTANCE_TYPES,
  INSTANCE_TYPES_DATE,
  offeringsDate,
  regionsOffering,
} from '../../core/facts/instance-types';
import { isKubeletLabel, isKubernetesLabel, unreleased } from '../../core/facts/kubernetes';
import { listPriceOf, pricesDate } from '../../core/facts/prices';
import { COMMERCIAL_REGIONS, hasResourceType, regionOf, REGIONS } from '../../core/facts/regions';
import { isTimeZone, TIME_ZONES } from '../../core/facts/time-zones';
import { ROOT } from '../support/stacks';

const FACTS = join(ROOT, 'core', 'facts');
const FILES = readdirSync(FACTS).filter((name) => name.endsWith('.json'));

interface Header {
  about: string;
  sources: string[];
  date: string;
  script: string;
}

test.each(FILES)('%s says what it is, from where, of which day, and made by what', (name) => {
  const { about, sources, date, script } = JSON.parse(readFileSync(join(FACTS, name), 'utf8')) as Header;
  expect(about).not.toBe('');
  expect(sources.join()).toMatch(/\d+\.\d+/);
  expect(date).toMatch(/^20\d\d-\d\d-\d\d$/);
  expect(existsSync(join(ROOT, script))).toBe(true);
  expect(statSync(join(FACTS, name)).size).toBeLessThan(250_000);
});

/** The virtual environment of the tests has cfn-lint; the other sources are there after the script has run once. */
const PYTHON = join(process.env.DROWSE_VENV ?? join(ROOT, '.venv'), 'bin', 'python');
const NOT_AT_HAND = 3;

test.each(FILES.map((name) => name.replace('.json', '')))(
  'the script makes %s, where its sources are at hand',
  (name) => {
    const run = spawnSync(PYTHON, [join(ROOT, 'scripts/facts/generate.py'), '--check', '--only', name], {
      encoding: 'utf8',
      env: { ...process.env, DROWSE_FACTS_OFFLINE: '1' },
    });
    expect([0, ...(name === 'regions' ? [] : [NOT_AT_HAND])]).toContain(run.status);
  },
);

test('the script sees a table that is not what the sources say', () => {
  const program = [
    'import sys; sys.argv = ["generate.py", "--check", "--only", "regions"]',
    'import importlib.util as u; s = u.spec_from_file_location("generate", sys.argv[0] and "scripts/facts/generate.py")',
    'm = u.module_from_spec(s); s.loader.exec_module(m)',
    'm.PARTITIONS["us-"] = "elsewhere"',
    'sys.exit(m.main())',
  ].join('\n');
  const run = spawnSync(PYTHON, ['-c', program], { cwd: ROOT, encoding: 'utf8' });
  expect(run.stderr).toContain('regions.json is not what the sources say');
  expect(run.status).toBe(1);
});

describe('regions', () => {
  test('every region has a partition and zones', () => {
    expect(COMMERCIAL_REGIONS.length).toBeGreaterThanOrEqual(33);
    for (const name of REGIONS) {
      const region = regionOf(name);
      expect(region?.partition).toMatch(/^aws/);
      expect(region?.zones.join('')).toMatch(/^[a-h]+$/);
      expect(region?.likelyZones.length).toBeGreaterThan(0);
    }
  });

  test('what CloudFormation lacks where', () => {
    expect(hasResourceType('us-east-1', 'AWS::Budgets::Budget')).toBe(true);
    expect(hasResourceType('eu-north-1', 'AWS::Budgets::Budget')).toBe(false);
    expect(regionOf('us-gov-west-1')?.partition).toBe('aws-us-gov');
    expect(regionOf('cn-north-1')?.partition).toBe('aws-cn');
  });
});

describe('instance types', () => {
  test('every one has a size, and none a GPU without a name', () => {
    const types = Object.entries(INSTANCE_TYPES);
    expect(types.length).toBeGreaterThan(1_300);
    for (const [name, { vCpus, memoryGiB, gpus, gpu }] of types) {
      expect(name).toMatch(/^[a-z0-9-]+\.[a-z0-9-]+$/);
      expect(vCpus).toBeGreaterThan(0);
      expect(memoryGiB).toBeGreaterThan(0);
      expect(gpus === undefined).toBe(gpu === undefined);
    }
  });

  test.each([
    ['g4dn.xlarge', 4, 16, 'T4', 1, 7.5],
    ['g5.12xlarge', 48, 192, 'A10G', 4, 8.6],
    ['g6f.large', 2, 8, 'L4', 1, 8.9],
    ['g7e.2xlarge', 8, 64, 'RTX PRO Server 6000', 1, 12],
    ['p3.2xlarge', 8, 61, 'V100', 1, 7],
    ['p6-b200.48xlarge', 192, 2048, 'B200', 8, 10],
    ['p6-b300.48xlarge', 192, 4096, 'B300', 8, 10.3],
  ])('%s', (name, vCpus, memoryGiB, gpu, gpus, computeCapability) => {
    expect(INSTANCE_TYPES[name]).toMatchObject({ vCpus, memoryGiB, gpu, gpus, computeCapability });
  });

  test('every NVIDIA GPU has a compute capability: who drives it follows from that', () => {
    const without = Object.entries(INSTANCE_TYPES).filter(
      ([, { gpu, manufacturer, computeCapability }]) =>
        gpu !== undefined && manufacturer === undefined && computeCapability === undefined,
    );
    expect(without.map(([name]) => name)).toEqual([]);
  });

  test('where a type is offered', () => {
    const g4dn = INSTANCE_TYPES['g4dn.xlarge'];
    expect(g4dn && regionsOffering(g4dn)).toContain('eu-central-1');
    expect(g4dn && regionsOffering(g4dn)).not.toContain('eu-central-2');
    expect(hasOfferings('ap-southeast-6')).toBe(false);
    // Of a region that one source lacks, the older one says what it offers.
    expect(offeringsDate('mx-central-1')).toBe('2025-05-28');
    expect(regionsOffering(INSTANCE_TYPES['t3.medium']!)).toContain('mx-central-1');
    expect(g4dn && regionsOffering(g4dn)).not.toContain('mx-central-1');
    expect(offeringsDate('us-east-1')).toBe(INSTANCE_TYPES_DATE);
  });
});

describe('prices', () => {
  test.each([
    ['t3.medium', 'us-east-1', 0.0416],
    ['g4dn.xlarge', 'us-east-1', 0.526],
    ['g4dn.xlarge', 'eu-central-1', 0.658],
    ['t3.medium', 'sa-east-1', 0.0672],
    ['g7e.2xlarge', 'eu-central-1', undefined],
    ['t3.medium', 'nowhere-1', undefined],
    // Became cheaper after the older of the two lists: what it costs elsewhere is not known.
    ['p5.48xlarge', 'us-east-1', 55.04],
    ['p5.48xlarge', 'us-west-2', undefined],
  ])('%s in %s: %s', (type, region, price) => {
    expect(listPriceOf(type, region)).toBe(price);
  });

  test('a price is positive, and its day is known', () => {
    for (const region of COMMERCIAL_REGIONS) {
      const priced = Object.keys(INSTANCE_TYPES)
        .map((type) => listPriceOf(type, region))
        .filter((one) => one !== undefined);
      expect(priced.every((price) => price > 0 && price < 1_000)).toBe(true);
      expect(pricesDate(region) === undefined).toBe(priced.length === 0);
    }
  });
});

test('labels that a kubelet may set on itself', () => {
  expect(['node.kubernetes.io/a', 'x.node.kubernetes.io/a', 'kubelet.kubernetes.io/a'].every(isKubeletLabel)).toBe(
    true,
  );
  expect(
    ['kubernetes.io/hostname', 'node-role.kubernetes.io/a', 'node.kubernetes.io/instance-type'].some(isKubeletLabel),
  ).toBe(false);
  expect([isKubernetesLabel('example.com/a'), isKubernetesLabel('a'), isKubernetesLabel('x.k8s.io/a')]).toEqual([
    false,
    false,
    true,
  ]);
});

test('releases of Kubernetes', () => {
  const now = new Date('2026-11-30T00:00:00Z');
  expect([unreleased('1.36.6', now), unreleased('1.36.7', now), unreleased('1.37.0', now)]).toEqual([
    undefined,
    '1.36.6',
    undefined,
  ]);
});

test('time zones', () => {
  expect(TIME_ZONES.filter((name) => !isTimeZone(name))).toEqual([]);
  expect(['UTC', 'GMT', 'Europe/Kyiv', 'America/Argentina/Buenos_Aires'].every(isTimeZone)).toBe(true);
  expect(['EST', 'PST', 'utc', '+01:00', 'Europe/Bonn'].some(isTimeZone)).toBe(false);
});
