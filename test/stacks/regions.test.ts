import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import facts from '../../core/facts/regions.json';
import { COMMERCIAL_REGIONS, hasResourceType, regionOf } from '../../core/facts/regions';
import { type CfnTemplate, resourcesOf, ROOT, synthesize, templatesFolder } from '../support/stacks';

const BUDGET = 'AWS::Budgets::Budget';
const all = (templates: Readonly<Record<string, CfnTemplate>>) =>
  Object.values(templates).flatMap(({ Resources }) => Object.values(Resources));

/** Every second region, the others with another seed of jest; DROWSE_REGIONS=all takes each. */
const REGIONS = COMMERCIAL_REGIONS.filter(
  (_, index) => process.env.DROWSE_REGIONS === 'all' || (index + Math.abs(jest.getSeed())) % 2 === 0,
);

describe.each(REGIONS)('the default cluster in %s', (region) => {
  // Not every region has the default GPU: what matters here are the stacks.
  const { templates } = synthesize(
    `region: ${region}\npools: [{ name: web, instanceTypes: [t3.large], ingress: true }]`,
  );
  const types = new Set(
    all(templates)
      .map(({ Type }) => Type)
      .filter((type) => type.startsWith('AWS::')),
  );

  test('has no resource type that CloudFormation lacks there', () => {
    const lacks = regionOf(region)?.lacks ?? [BUDGET];
    expect([...types].filter((type) => lacks.includes(type))).toEqual([]);
    // The table must know of every type: scripts/facts/generate.py --only regions --types-of cdk.out
    expect([...types].filter((type) => !facts.resourceTypes.includes(type))).toEqual([]);
    expect(types.has(BUDGET)).toBe(hasResourceType(region, BUDGET));
  });

  test('names no other region', () => {
    const text = JSON.stringify(templates);
    const others = COMMERCIAL_REGIONS.filter((other) => other !== region && new RegExp(`\\b${other}\\b`).test(text));
    expect(others).toEqual([]);
  });
});

test('no partition and no endpoint is written out: they follow from the region', () => {
  const folders = ['core', 'lib', 'lambdas', 'bin', 'cli', 'statemachines', 'userdata', 'platform'];
  const files = folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(ts|json|sh|py|ya?ml|toml|service|timer)$/.test(name))
      .map((name) => join(folder, name)),
  );
  // Names of services are the same everywhere, and stand in one place; the table of regions says what differs.
  const allowed = ['lib/constructs/access/service-principal.ts', 'core/facts/regions.json'];
  const found = files
    .filter((file) => !allowed.includes(file))
    .flatMap((file) =>
      readFileSync(join(ROOT, file), 'utf8')
        .split('\n')
        .filter(
          (line) =>
            // One service has one address for all: whoever asks it is a person at a desk.
            /arn:aws:|(?<!\b(?:k8s|eks|checkip))\\?\.amazonaws\\?\.com/.test(line) &&
            !line.includes('--aws-service-name'),
        )
        .map((line) => `${file}: ${line.trim()}`),
    );
  expect(files.length).toBeGreaterThan(100);
  expect(found).toEqual([]);
});

/** Regions for which every example is checked: two with budgets, the others without some type that others have. */
const LINTED = ['us-east-1', 'eu-central-1', 'eu-north-1', 'ap-northeast-1', 'sa-east-1'];
const PYTHON_TOOLS = join(process.env.DROWSE_VENV ?? join(ROOT, '.venv'), 'bin');

/** What cfn-lint calls an error, as `file: rule message`; its warnings are advice that cdk-nag or a reason of ours covers. */
function lint(files: readonly string[], regions: readonly string[]): string[] {
  const run = spawnSync(
    join(PYTHON_TOOLS, 'cfn-lint'),
    ['--format', 'parseable', '--ignore-checks', 'W', 'I', '--regions', ...regions, '--', ...files],
    { encoding: 'utf8', maxBuffer: 2 ** 26 },
  );
  if (run.error) throw run.error;
  return run.stdout.split('\n').filter((line) => line !== '');
}

function write(folder: string, name: string, template: CfnTemplate): string {
  const file = join(folder, `${name}.template.json`);
  writeFileSync(file, JSON.stringify(template));
  return file;
}

function without(template: CfnTemplate, type: string): CfnTemplate {
  const Resources = Object.fromEntries(Object.entries(template.Resources).filter(([, one]) => one.Type !== type));
  return { ...template, Resources };
}

describe('cfn-lint', () => {
  const folder = mkdtempSync(join(templatesFolder(), 'lint-'));
  const examples = readdirSync(join(ROOT, 'examples')).map(
    (file) => [file, readFileSync(join(ROOT, 'examples', file), 'utf8')] as const,
  );
  const made = [['default', ''] as const, ...examples].flatMap(([name, yaml]) =>
    Object.entries(synthesize(yaml).templates).map(([stack, template]) => ({ name: `${name}-${stack}`, template })),
  );

  test(`has no error in any template of any example, for ${LINTED.join(', ')}`, () => {
    // What differs by region is tested above: its name, its zones, and whether there is a budget.
    const files = made.map(({ name, template }) => write(folder, name, without(template, BUDGET)));
    expect(files.length).toBeGreaterThanOrEqual(18);
    expect(lint(files, LINTED)).toEqual([]);
  });

  test('has no error in the default cluster, for every commercial region that it knows', () => {
    const files = made
      .filter(({ name }) => name.startsWith('default-'))
      .map(({ name, template }) => write(folder, `everywhere-${name}`, without(template, BUDGET)));
    const regions = COMMERCIAL_REGIONS.filter((region) => regionOf(region)?.lacks !== undefined);
    expect(regions.length).toBeGreaterThanOrEqual(33);
    expect(lint(files, regions)).toEqual([]);
  });

  test('has no error with a budget, where there are budgets', () => {
    const withBudget = made.find(({ name }) => name === 'default-operations')!;
    expect(resourcesOf(withBudget.template, BUDGET)).toHaveLength(1);
    const regions = COMMERCIAL_REGIONS.filter((region) => hasResourceType(region, BUDGET));
    expect(lint([write(folder, 'budget', withBudget.template)], regions)).toEqual([]);
  });

  test('sees a type that a region lacks, and a property that no type has', () => {
    const reservation = {
      Type: 'AWS::EC2::SubnetCidrReservation',
      Properties: {
        SubnetId: 'subnet-0123456789abcdef0',
        Cidr: '10.0.0.16/28',
        ReservationType: 'explicit',
        Colour: 'red',
      },
    };
    const file = write(folder, 'wrong', { Resources: { Reservation: reservation } });
    const errors = lint([file], ['us-east-1', 'eu-north-1']).join('\n');
    expect(errors).toContain("'AWS::EC2::SubnetCidrReservation' does not exist in 'eu-north-1'");
    expect(errors).toContain("('Colour' was unexpected)");
  });
});
