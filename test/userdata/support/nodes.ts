import { parseNodeData, type NodeData } from '../../../lib/node';

/** Addresses of one and of three seats. */
export const SEATS = ['10.0.0.10', '10.0.1.10', '10.0.2.10'] as const;

const common = {
  schema: 1,
  cluster: 'drowse',
  region: 'us-east-1',
  domain: 'amazonaws.com',
  bucket: 'drowse-drowse-123456789012-us-east-1',
  logGroup: '/drowse/drowse/nodes',
  kubernetes: { version: '1.36.3', podCidr: '10.244.0.0/16', serviceCidr: '10.96.0.0/12', proxyMode: 'iptables' },
} as const;

const endpoint = (seats: readonly string[]) => ({ name: 'api.drowse.drowse.internal', port: 6443, seats: [...seats] });

/** Node data of a seat. */
export function seatData(index = 0, count: 1 | 3 = 1, version = '1.36.3'): NodeData {
  return parseNodeData({
    ...common,
    role: 'seat',
    seat: { index, fixedIp: SEATS[index]! },
    kubernetes: { ...common.kubernetes, version },
    endpoint: endpoint(SEATS.slice(0, count)),
  });
}

/** Node data of a pool node. */
export function poolData(options: { gpu?: boolean; seats?: 1 | 3; version?: string } = {}): NodeData {
  const gpu = options.gpu ?? false;
  const pool = { name: gpu ? 'gpu' : 'general', gpu, ingress: gpu };
  return parseNodeData({
    ...common,
    role: 'pool',
    pool: {
      ...pool,
      labels: { 'workload-type': pool.name },
      taints: gpu ? [{ key: 'nvidia.com/gpu', value: 'true', effect: 'NoSchedule' }] : [],
    },
    kubernetes: { ...common.kubernetes, version: options.version ?? '1.36.3' },
    endpoint: endpoint(SEATS.slice(0, options.seats ?? 1)),
  });
}
