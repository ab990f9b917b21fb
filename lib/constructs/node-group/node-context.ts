import { API_PORT, namesOf } from '../../../core/config/names';
import { seatPlaces } from '../../../core/config/addresses';
import { dnsSuffixOf } from '../../../core/facts/regions';
import type { ClusterConfig } from '../../../core/config/schema';
import type { BundleReference, NodeDataInput } from '../../node';
import type { SecurityGroups } from '../network/security-groups';
import type { NodeRoleProps } from './node-role';

/** What all groups of a cluster have in common. */
export interface NodeContext {
  securityGroups: SecurityGroups;
  /** Subnet IDs by zone letter. */
  subnetIds: Readonly<Record<string, string>>;
  bucketName: string;
  /** Name of the log group that takes the nodes' journals. */
  logGroupName: string;
  nodeBundle: BundleReference;
  roleProps: Omit<NodeRoleProps, 'ownTags'>;
}

/** The part of the node data that is the same on every node. */
export function clusterNodeData(
  config: ClusterConfig,
  { bucketName, logGroupName }: NodeContext,
): Omit<NodeDataInput, 'role' | 'seat' | 'pool'> {
  const names = namesOf(config.name);
  const { version, podCidr, serviceCidr, proxyMode } = config.kubernetes;
  return {
    schema: 1,
    cluster: config.name,
    region: config.region,
    domain: dnsSuffixOf(config.region),
    bucket: bucketName,
    logGroup: logGroupName,
    kubernetes: { version, podCidr, serviceCidr, proxyMode },
    endpoint: { name: names.endpoint, port: API_PORT, seats: seatPlaces(config).map(({ fixedIp }) => fixedIp) },
  };
}
