import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EVERYTHING } from '../support/configs';
import { resourcesOf, synthesize } from '../support/stacks';
import { holderOf, type Reach, reachOf } from './support/reach';
import { rolesOf, type SynthesizedRole } from './support/roles';
import { OWN_LOG } from './support/world';

/** What everybody's credentials are worth, for a person to read; `UPDATE_REACH=1` writes it anew. */
const TABLE = join(__dirname, 'reach.md');

const synthesized = synthesize(EVERYTHING);
const deployer = 'drowse-big-us-east-1-deployer';
const roles = rolesOf(synthesized).map((role) =>
  // The bucket's policy knows it by its name.
  role.description.startsWith('Lays node bundle') ? { ...role, id: deployer } : role,
);
const reached = new Map<SynthesizedRole, Reach[]>();
beforeAll(async () => {
  const found = await Promise.all(roles.map((role) => reachOf(role, synthesized)));
  for (const [index, role] of roles.entries()) reached.set(role, found[index]!);
});

test('whoever has a role’s credentials can change what the table says, and nothing else', () => {
  const found = tableOf(reached);
  if (process.env.UPDATE_REACH === '1') writeFileSync(TABLE, found);
  expect(found.split('\n')).toEqual(readFileSync(TABLE, 'utf8').split('\n'));
});

test('nobody changes anything of another cluster, or of whoever else is in the account', () => {
  // IAM does not limit it: Systems Manager takes from an instance's credentials that instance's word alone.
  const limitedByAws = 'ssm:UpdateInstanceInformation';
  const outside = [...reached].flatMap(([role, reaches]) =>
    reaches
      .filter(({ target, action }) => !target.ours && action !== limitedByAws)
      .map(({ action, target }) => `${nameOf(role)}: ${action} ${target.name}`),
  );
  expect(outside).toEqual([]);
});

test('the lease is written by the steps that take it, give it back, or find its holder dead', () => {
  const writers = [...reached].filter(([, reaches]) =>
    reaches.some(
      ({ action, ways }) =>
        action.startsWith('dynamodb:') && /anything|cluster\.lease|^cluster$/m.test(ways.join('\n')),
    ),
  );
  expect(writers.map(([role]) => nameOf(role))).toEqual(
    ['acquire-lease', 'record-success', 'record-failure', 'look-after'].map((step) => `Step ${step}`),
  );
});

test('nobody takes another role: all are AWS’s services’, and none may pass or change one', () => {
  const trusted = Object.values(synthesized.templates).flatMap((template) =>
    resourcesOf(template, 'AWS::IAM::Role').flatMap(([, { Properties }]) => {
      const { Statement } = Properties!.AssumeRolePolicyDocument as { Statement: { Principal: object }[] };
      return Statement.map(({ Principal }) => JSON.stringify(Principal));
    }),
  );
  expect([...new Set(trusted)].sort()).toEqual(
    ['cloudtrail', 'ec2', 'events', 'lambda', 'scheduler', 'states'].map((service) =>
      JSON.stringify({ Service: `${service}.amazonaws.com` }),
    ),
  );
  const climbing =
    /^(iam|sts|lambda:(Update|Create|Add)|states:(Update|Create)|ssm:(Update|Create)Document|s3:PutBucket)/;
  const could = [...reached.values()].flat().map(({ action }) => action);
  expect([...new Set(could)].filter((action) => climbing.test(action))).toEqual(['iam:CreateServiceLinkedRole']);
});

test('a node sets nothing in motion, and nobody but a person restores etcd', () => {
  const started = [...reached].flatMap(([role, reaches]) => startedBy(reaches).map((what) => [nameOf(role), what]));
  expect(started.filter(([name]) => ['Seats', 'Nodes of pools'].includes(name!))).toEqual([]);
  expect(started.filter(([, what]) => what === 'workflow restore-etcd')).toEqual([]);
  expect(started.length).toBeGreaterThan(60);
});

/** What a holder sets in motion that then acts with a role of its own. */
function startedBy(reaches: readonly Reach[]): string[] {
  const starting = ['states:StartExecution', 'lambda:InvokeFunction', 'ssm:SendCommand'];
  return reaches
    .filter(({ action, target }) => starting.includes(action) && !target.types.includes('instance'))
    .map(({ target }) => target.name);
}

/** Whose credentials a role's are, as the table says it. Roles that are given the same name are one row of it. */
function nameOf(role: SynthesizedRole): string {
  const { seat, pool } = holderOf(role);
  if (seat !== undefined) return 'Seats';
  if (pool !== undefined) return 'Nodes of pools';
  if (role.description === '') return 'Scheduler';
  return role.description.replace('Workflow big-', 'Workflow ').replace(/ big-/, ' ');
}

function tableOf(all: ReadonlyMap<SynthesizedRole, readonly Reach[]>): string {
  // Who → by which action → what.
  const rows = new Map<string, Set<string>>();
  for (const [role, reaches] of all) {
    const function_ = /^(Step|Custom)/.test(role.description);
    for (const { target, action, ways } of reaches) {
      if (function_ && target.name === OWN_LOG) continue;
      const row = `| ${nameOf(role)} | ${action} | `;
      const cell = ways.length === 0 ? target.name : `${target.name} (${ways.join(', ')})`;
      rows.set(row, (rows.get(row) ?? new Set()).add(cell));
    }
  }
  const lines = [...rows].map(([row, targets]) => `${row}${[...targets].sort().join(', ')} |`);
  return [HEAD, '| who | by | can change |', '| --- | --- | --- |', ...lines.sort(), ''].join('\n');
}

const HEAD = `# What credentials are worth

Whoever has the credentials of a role can change this, whatever requests are made with them, and nothing else. Found by asking IAM's
evaluation for each change that a role's policies name, on each kind of thing in the account: the cluster's own, another cluster's,
and somebody else's (\`support/world.ts\`). \`UPDATE_REACH=1 npx jest --testPathPatterns access/reach\` writes it anew: read what that changed.

Left out: each function writes its own log. In brackets stand the tags, items or ways by which it goes; \`anything\` are all that are tried.
`;
