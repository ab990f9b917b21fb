import * as elbv2 from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { Construct } from 'constructs';
import type { SeatPlace } from '../../../core/config/addresses';
import { API_PORT, namesOf } from '../../../core/config/names';

export interface ApiTargetProps {
  cluster: string;
  vpcId: string;
  seats: readonly SeatPlace[];
}

/**
 * Where the API load balancer sends people: the seats' fixed addresses. The load balancer itself is made at wake and
 * deleted at sleep, because it costs money by the hour; a target group is free and can stay.
 */
export class ApiTarget extends Construct {
  readonly targetGroupArn: string;

  constructor(scope: Construct, id: string, { cluster, vpcId, seats }: ApiTargetProps) {
    super(scope, id);
    const targetGroup = new elbv2.CfnTargetGroup(this, 'Seats', {
      name: namesOf(cluster).apiLoadBalancer,
      vpcId,
      targetType: 'ip',
      protocol: 'TCP',
      port: API_PORT,
      targets: seats.map(({ fixedIp }) => ({ id: fixedIp, port: API_PORT })),
      healthCheckProtocol: 'HTTPS',
      healthCheckPath: '/readyz',
      healthCheckIntervalSeconds: 10,
      healthyThresholdCount: 2,
      unhealthyThresholdCount: 2,
      targetGroupAttributes: [
        // The seats then see the load balancer's address, which its security group stands for in their rules.
        { key: 'preserve_client_ip.enabled', value: 'false' },
        { key: 'deregistration_delay.timeout_seconds', value: '0' },
      ],
    });
    this.targetGroupArn = targetGroup.ref;
  }
}
