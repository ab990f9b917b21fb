import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { awsVariables } from '../../local/run/environment';
import { BIN, ROOT } from '../../local/run/paths';
import { problemsOf } from '../cli/support';
import { kubectlFile } from '../support/kubectl';
import { type Cluster, CONFIG, CREDENTIALS, REGION } from './cluster';

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** The command, as its shell runs it. */
export async function drowse(cluster: Cluster, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const apiUrl = await cluster.apiUrl();
  return new Promise((done) => {
    const child = spawn(path.join(ROOT, 'bin', 'drowse'), [...args, '--config', CONFIG], {
      env: {
        PATH: `${BIN}:${process.env.PATH ?? ''}`,
        ...awsVariables({ endpoint: cluster.endpoint, region: REGION }),
        DROWSE_API_URL: apiUrl,
        // Nobody outside this machine is asked.
        DROWSE_SOURCES: '',
        DROWSE_INGRESS: '127.0.0.1:9',
        ...env,
      },
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.on('close', (code) => {
      done({ code, stdout, stderr });
    });
  });
}

/** Credentials of a session of a role, which is made for it, as variables. */
async function assume(
  { endpoint }: Cluster,
  Path: string,
  RoleName: string,
  RoleSessionName: string,
): Promise<NodeJS.ProcessEnv> {
  const options = { endpoint, region: REGION, credentials: CREDENTIALS };
  const Principal = { AWS: 'arn:aws:iam::000000000000:root' };
  const AssumeRolePolicyDocument = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal }],
  });
  const iam = new IAMClient(options);
  const { Role } = await iam.send(new CreateRoleCommand({ Path, RoleName, AssumeRolePolicyDocument }));
  // What docs/command.md says that kubeconfig needs, where DROWSE_API_URL names the API.
  const Action = ['execute-api:Invoke', 'elasticloadbalancing:DescribeLoadBalancers'];
  const Statement = [{ Effect: 'Allow', Action, Resource: '*' }];
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
  await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'kubeconfig', PolicyDocument }));
  const { Credentials } = await new STSClient(options).send(
    new AssumeRoleCommand({ RoleArn: Role?.Arn, RoleSessionName }),
  );
  return {
    AWS_ACCESS_KEY_ID: Credentials?.AccessKeyId,
    AWS_SECRET_ACCESS_KEY: Credentials?.SecretAccessKey,
    AWS_SESSION_TOKEN: Credentials?.SessionToken,
  };
}

/** What people operate the cluster with. */
export function command(cluster: Cluster): void {
  const ask = (args: readonly string[], env?: NodeJS.ProcessEnv) => drowse(cluster, args, env);

  /** What a verb answers as JSON, which is as the schema says. */
  const answer = async <T = unknown>(verb: string, ...words: (string | NodeJS.ProcessEnv)[]): Promise<T> => {
    const args = words.filter((word) => typeof word === 'string');
    const env = words.find((word) => typeof word === 'object');
    const { stdout, stderr } = await drowse(cluster, [verb, ...args, '--json'], env);
    if (stdout === '') throw new Error(stderr);
    const parsed = JSON.parse(stdout) as T;
    expect({ verb, problems: problemsOf(verb, parsed) }).toEqual({ verb, problems: null });
    return parsed;
  };

  describe('drowse, the command', () => {
    it('says how an awake cluster is', async () => {
      const { code, stdout, stderr } = await ask(['status']);
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toMatch(/^cluster drowse in us-east-1, from .*\nawake for /);
      expect(stdout).toMatch(/seat 0 .*ready/);
      expect(stdout).toMatch(/costs \$\d+\.\d\d an hour awake, \$\d+\.\d\d a month asleep/);
    });

    it('puts it to sleep and wakes it, step by step', async () => {
      const asleep = await ask(['sleep']);
      expect([asleep.code, asleep.stderr]).toEqual([0, '']);
      expect(asleep.stdout).toMatch(/✓ sleep: the cluster is asleep/);
      const { code, stdout } = await ask(['status', '--json']);
      expect([code, JSON.parse(stdout)]).toMatchObject([0, { cluster: 'drowse', state: 'asleep', nodes: [] }]);

      const awake = await ask(['wake', '--json']);
      expect(awake.code).toBe(0);
      expect(JSON.parse(awake.stdout)).toMatchObject({ state: 'awake' });
      // Which steps are seen depends on how fast they pass.
      expect(awake.stderr).toMatch(/✓ wake: the cluster is awake/);
      await cluster.expectAwake();
    });

    it('lists what has run, and what it logged', async () => {
      const runs = await answer<{ workflow: string; outcome: string }[]>('runs', '--last', '50');
      expect(runs).toContainEqual(expect.objectContaining({ workflow: 'wake', outcome: 'succeeded' }));
      expect(await answer('runs', 'join-node', '--last', '1')).toMatchObject([{ workflow: 'join-node' }]);
      const lines = await answer<{ message: string }[]>('logs', 'wait-for-api', '--since', '1d');
      expect(lines.map(({ message }) => message).join('\n')).toContain('Step done');
    });

    it('finds nothing in the way of the next wake', async () => {
      const findings = await answer<{ name: string; state: string; detail: string }[]>('doctor');
      // This machine may lack what a person's has; there is no DNS and no ingress here, and nobody has put the token of one into its parameter.
      const here = ['kubectl', 'Session Manager plugin', 'domain', 'certificate', 'Cloudflare token'];
      expect(findings.filter(({ name, state }) => state !== 'ok' && !here.includes(name))).toEqual([]);
      expect(findings.length).toBeGreaterThan(10);
    });

    it('makes a kubeconfig that kubectl accepts, for the person that AWS says it is and for nobody else', async () => {
      const folder = mkdtempSync(path.join(tmpdir(), 'drowse-kubeconfig-'));
      try {
        const KUBECONFIG = path.join(folder, 'config');
        const refused = await ask(['kubeconfig'], { KUBECONFIG });
        expect(refused).toMatchObject({
          code: 1,
          stderr: expect.stringContaining(':root is not in access:') as string,
        });
        const developer = await assume(cluster, '/people/', 'Developers', 'ann@example.com');
        const made = await answer<{ server: string }>('kubeconfig', { KUBECONFIG, ...developer });
        expect(made).toMatchObject({ user: 'Developers/ann@example.com', groups: ['drowse:viewers'] });
        const { server } = made;
        const view = ['config', 'view', '--minify', '--output=json', `--kubeconfig=${KUBECONFIG}`];
        const shown = JSON.parse(execFileSync(kubectlFile(), view, { encoding: 'utf8' })) as object;
        expect(shown).toMatchObject({
          'current-context': 'drowse',
          clusters: [{ cluster: { server, 'tls-server-name': 'api.drowse.drowse.internal' } }],
        });
        expect(server).toMatch(/^https:\/\/.*:6443$/);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });

    it('saves etcd, rehearses a restore of that, and tests the cluster', async () => {
      expect(await answer('snapshot')).toMatchObject({ status: 'SUCCEEDED' });
      const [newest] = await answer<{ key: string; whole: boolean }[]>('snapshot', '--list');
      expect(newest).toMatchObject({ whole: true });
      expect(await answer('restore', '--key', newest?.key ?? '')).toMatchObject({ status: 'SUCCEEDED' });
      expect(await answer('gpu-test', '--all')).toMatchObject({ ok: true });
    });

    it('brings home what a node packs', async () => {
      const folder = mkdtempSync(path.join(tmpdir(), 'drowse-diagnostics-'));
      try {
        const [archive] = await answer<{ file: string }[]>('diagnostics', 'seat-0', '--output', folder);
        expect(existsSync(archive?.file ?? '')).toBe(true);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });

    it('says what this month came to, and what bills while it sleeps', async () => {
      const cost = await answer<{ held: string[] }>('cost', '--actual');
      expect(cost).toMatchObject({ currency: 'USD', month: { savedUsd: expect.any(Number) as number } });
      expect(cost.held.join('\n')).toMatch(/Elastic IP .*\n.*8 GiB: \$0\.64 a month/);
    });

    it('keeps it awake, and takes that back', async () => {
      expect((await ask(['keep-awake', '3h'])).stdout).toMatch(/puts the cluster to sleep before 20\d\d-/);
      expect((await ask(['keep-awake', '--end'])).stdout).toContain('The keep-awake ends now.');
    });

    it('passes on what the API refuses', async () => {
      const { code, stderr } = await ask(['keep-awake', 'tomorrow']);
      expect(code).toBe(2);
      expect(stderr).toMatch(/InvalidInput: until: .*tomorrow/);
    });

    it('says what to do where the cluster is not', async () => {
      const elsewhere = await ask(['status', '--cluster', 'another'], { DROWSE_API_URL: undefined });
      expect(elsewhere.stderr).toMatch(/^cluster another in us-east-1, as the options say, is not deployed/);
      const signedOut = await ask(['wake'], { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined });
      expect(signedOut.stderr).toMatch(/^No AWS credentials were found/);
      expect([elsewhere.code, signedOut.code]).toEqual([1, 1]);
    });
  });
}
