import { DescribeExecutionCommand, ListExecutionsCommand } from '@aws-sdk/client-sfn';
import * as z from 'zod';
import { namesOf } from '../../core/config/names';
import type { ClusterConfig } from '../../core/config/schema';
import { platformImages } from '../../lib/platform/images';
import { overlays, readTree } from '../../lib/platform/tree';
import type { AwsClients, Check } from './checks';
import { ACCOUNT, type AwsEndpoint } from './environment';

/** What a run of install-platform says that it brought. */
export interface InstalledPlatform {
  /** The workflow that had it run. */
  by: string;
  /** Layers of the tree that are installed and healthy. */
  ready: string[];
  /** Layers that wait for nodes. */
  leftOut: string[];
  /** Chart repositories that were asked meanwhile, charts and images that registries were; null where nobody tells: another emulator, real nodes. */
  asked: string[] | null;
}

const outputOfInstall = z.object({
  platform: z.object({ ready: z.array(z.string()), leftOut: z.array(z.string()) }),
});
const plugin = z.object({ asked: z.record(z.string(), z.array(z.string())) });

/**
 * Reads the end of the newest install-platform, and what the cluster has asked others for since the earlier ones.
 * @throws ZodError the workflow's output is not what it promises
 */
export async function installedPlatform(
  aws: AwsClients,
  at: AwsEndpoint,
  cluster: string,
  by: string,
  earlier: readonly InstalledPlatform[],
): Promise<InstalledPlatform> {
  const name = namesOf(cluster).workflow('install-platform');
  const stateMachineArn = `arn:aws:states:${at.region}:${ACCOUNT}:stateMachine:${name}`;
  const { executions = [] } = await aws.stepFunctions.send(new ListExecutionsCommand({ stateMachineArn }));
  const [newest] = [...executions].sort((a, b) => (b.startDate?.getTime() ?? 0) - (a.startDate?.getTime() ?? 0));
  const { output = '{}' } = await aws.stepFunctions.send(
    new DescribeExecutionCommand({ executionArn: newest?.executionArn }),
  );
  const { ready, leftOut } = outputOfInstall.parse(JSON.parse(output)).platform;
  const response = await fetch(`${at.endpoint}/_drowse/plugin`);
  const all = response.ok ? (plugin.parse(await response.json()).asked[cluster] ?? null) : null;
  const before = earlier.reduce((sum, { asked }) => sum + (asked?.length ?? 0), 0);
  return { by, ready, leftOut, asked: all?.slice(before) ?? null };
}

/** The layers are those of the tree for this configuration; charts and images are fetched once, and by no wake. */
export function checkPlatform(after: string, config: ClusterConfig, found: InstalledPlatform): Check[] {
  const { overlay, examples } = config.platform;
  // One that is only in the user's own repository: the embedded AWS takes it for the default, too.
  const { layers } = readTree({ overlay: overlays().includes(overlay) ? overlay : 'default', examples });
  const check = (what: string, expected: string, seen: string) => ({
    after,
    what,
    expected,
    found: seen,
    ok: expected === seen,
  });
  const checks = [
    check(
      'layers of the platform',
      layers
        .map(({ name }) => name)
        .sort()
        .join(', '),
      [...found.ready, ...found.leftOut].sort().join(', '),
    ),
  ];
  if (found.asked === null) return checks;
  const fetched = layers
    .flatMap(({ manifests }) => manifests)
    .filter(({ kind }) => kind === 'HelmRepository' || kind === 'OCIRepository');
  const count = (n: number) => (n === 0 ? 'none' : String(n));
  const expected = count(after === 'bootstrap' ? fetched.length + platformImages(config).length : 0);
  return [...checks, check('charts and images asked of others', expected, count(found.asked.length))];
}
