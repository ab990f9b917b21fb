import {
  CreateListenerCommand,
  DescribeListenersCommand,
  DuplicateListenerException,
  type ElasticLoadBalancingV2Client,
  type LoadBalancer,
  LoadBalancerNotFoundException,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { API_PORT, TAG } from '../../core/config/names';
import { LoadBalancerStillThere } from '../shared/step/errors';

interface Deps {
  cluster: string;
  loadBalancing: ElasticLoadBalancingV2Client;
  targetGroupArn: string;
}

/** Gives a load balancer its one listener. @throws LoadBalancerStillThere it is listed, and gone */
export async function ensureListener(
  { cluster, loadBalancing, targetGroupArn }: Deps,
  { LoadBalancerArn, LoadBalancerName = '' }: LoadBalancer,
): Promise<void> {
  try {
    const { Listeners } = await loadBalancing.send(new DescribeListenersCommand({ LoadBalancerArn }));
    if (Listeners?.some(({ Port }) => Port === API_PORT)) return;
    await loadBalancing.send(
      new CreateListenerCommand({
        LoadBalancerArn,
        Protocol: 'TCP',
        Port: API_PORT,
        DefaultActions: [{ Type: 'forward', TargetGroupArn: targetGroupArn }],
        Tags: [{ Key: TAG.cluster, Value: cluster }],
      }),
    );
  } catch (error) {
    // A repeated call met the one before.
    if (error instanceof DuplicateListenerException) return;
    if (!(error instanceof LoadBalancerNotFoundException)) throw error;
    throw new LoadBalancerStillThere(`${LoadBalancerName} is listed, and gone`, { cause: error });
  }
}
