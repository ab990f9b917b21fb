import type * as z from 'zod';
import { dynamo, ec2, ssm } from './clients';
import { ClusterStore } from './cluster-store';
import type { storeEnv } from './env';
import type { RunCommandDeps } from './run-command';

type StoreEnv = z.output<typeof storeEnv>;

/** The cluster's record, for a step's `deps`. */
export function clusterStore({ TABLE_NAME }: Pick<StoreEnv, 'TABLE_NAME'>): ClusterStore {
  return new ClusterStore(dynamo(), TABLE_NAME);
}

/** What a step that runs a command on a seat works with. */
export function runCommandDeps(env: StoreEnv): RunCommandDeps {
  return { cluster: env.CLUSTER_NAME, ec2: ec2(), ssm: ssm(), store: clusterStore(env) };
}
