import { type EC2Client, paginateDescribeVolumes } from '@aws-sdk/client-ec2';
import { GetParameterCommand, ParameterNotFound, type SSMClient } from '@aws-sdk/client-ssm';
import { CommandFailed } from '../../cli/terminal/errors';
import { namesOf, TAG } from '../../core/config/names';
import { impossibleChanges, runningClusterSchema, type RunningCluster } from '../../core/config/running-cluster';
import type { ClusterConfig } from '../../core/config/schema';

/** The clients that tell what runs. */
export interface Clients {
  readonly ec2: EC2Client;
  readonly ssm: SSMClient;
}

/**
 * Refuses a configuration that cannot be made of the cluster that runs, before anything is changed: a minor that is skipped, a
 * smaller state volume, other networks. A seat that is deployed without this refuses by itself, and touches no data.
 * @throws CommandFailed with field, value and remedy of each
 */
export async function refuseImpossible(clients: Clients, config: ClusterConfig): Promise<void> {
  const problems = impossibleChanges(config, await whatRuns(clients, config.name));
  if (problems.length === 0) return;
  const lines = problems.map(({ path, message }) => `  ${path.join('.')}: ${message}`);
  throw new CommandFailed(
    `The cluster ${config.name} cannot become what the configuration says:\n${lines.join('\n')}`,
    'Nothing was changed.',
  );
}

async function whatRuns({ ec2, ssm }: Clients, cluster: string): Promise<RunningCluster> {
  const stateVolumesGiB: number[] = [];
  const Filters = [
    { Name: `tag:${TAG.cluster}`, Values: [cluster] },
    { Name: 'tag-key', Values: [TAG.seat] },
  ];
  for await (const { Volumes = [] } of paginateDescribeVolumes({ client: ec2 }, { Filters })) {
    for (const { Size = 0, Tags = [] } of Volumes) {
      const tags = new Map(Tags.map(({ Key, Value }) => [Key, Value]));
      // As everywhere: a filter that an endpoint does not know must not make a foreign volume ours.
      if (tags.get(TAG.cluster) === cluster && tags.has(TAG.seat)) stateVolumesGiB.push(Size);
    }
  }
  try {
    const { Parameter } = await ssm.send(new GetParameterCommand({ Name: namesOf(cluster).runningParameter }));
    return { running: runningClusterSchema.parse(JSON.parse(Parameter?.Value ?? '')), stateVolumesGiB };
  } catch (error) {
    if (error instanceof ParameterNotFound) return { running: undefined, stateVolumesGiB };
    throw error;
  }
}
