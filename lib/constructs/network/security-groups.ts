import { Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import { API_PORT } from '../../../core/config/names';

export interface SecurityGroupsProps {
  cluster: string;
  vpcId: string;
  /** Addresses that may reach the Kubernetes API through the load balancer. */
  operatorCidrs: readonly string[];
}

type Protocol = 'tcp' | 'udp';
/** One allowed way into `to`: from a group of ours or from addresses. */
interface Rule {
  to: ec2.CfnSecurityGroup;
  from: ec2.CfnSecurityGroup | string;
  protocol?: Protocol;
  port: number;
  lastPort?: number;
  why: string;
}

/**
 * Who may talk to whom, one rule after another. What is not here is closed: SSH (people use Session Manager), NodePorts,
 * the scheduler's and controller manager's ports. Outward everything is open, since images, packages and apps come from
 * and go to addresses that nobody can list.
 */
export class SecurityGroups extends Construct {
  /** Control-plane seats. */
  readonly seats: ec2.CfnSecurityGroup;
  /** Pool nodes. */
  readonly pools: ec2.CfnSecurityGroup;
  /** The one node that carries the Elastic IP, in addition to its own group. */
  readonly ingress: ec2.CfnSecurityGroup;
  /** The API load balancer. */
  readonly apiLoadBalancer: ec2.CfnSecurityGroup;

  constructor(scope: Construct, id: string, { cluster, vpcId, operatorCidrs }: SecurityGroupsProps) {
    super(scope, id);
    const group = (groupId: string, groupDescription: string) =>
      new ec2.CfnSecurityGroup(this, groupId, {
        vpcId,
        groupDescription,
        securityGroupEgress: [
          { ipProtocol: '-1', cidrIp: '0.0.0.0/0', description: 'images, packages, AWS, and whatever apps need' },
        ],
      });
    this.seats = group('Seats', `Control-plane seats of ${cluster}`);
    this.pools = group('Pools', `Pool nodes of ${cluster}`);
    this.ingress = group('Ingress', `Node of ${cluster} that carries the Elastic IP`);
    this.apiLoadBalancer = group('ApiLoadBalancer', `API load balancer of ${cluster}`);
    this.apiLoadBalancer.securityGroupEgress = [];

    const { seats, pools, ingress, apiLoadBalancer } = this;
    const rules: Record<string, Rule> = {
      SeatsApiFromSeats: { to: seats, from: seats, port: API_PORT, why: 'API server, from other seats' },
      SeatsApiFromPools: { to: seats, from: pools, port: API_PORT, why: 'API server, from nodes and their pods' },
      SeatsApiFromLoadBalancer: {
        to: seats,
        from: apiLoadBalancer,
        port: API_PORT,
        why: 'API server, from people and health checks through the load balancer',
      },
      SeatsAlertsFromPools: {
        to: seats,
        from: pools,
        port: 9097,
        why: 'Alertmanager’s door, from Prometheus: on the host network of a seat, so not within VXLAN',
      },
      SeatsEtcdFromSeats: { to: seats, from: seats, port: 2379, lastPort: 2380, why: 'etcd clients and peers' },
      HttpFromAnywhere: { to: ingress, from: '0.0.0.0/0', port: 80, why: 'ingress, HTTP (redirects, probes)' },
      HttpsFromAnywhere: { to: ingress, from: '0.0.0.0/0', port: 443, why: 'ingress, HTTPS' },
      ...this.betweenNodes('Kubelet', { port: 10_250, why: 'kubelet: logs, exec, metrics' }),
      ...this.betweenNodes('Vxlan', { protocol: 'udp', port: 4789, why: 'Calico VXLAN: traffic of pods' }),
      ...this.betweenNodes('Typha', { port: 5473, why: 'Calico Typha: configuration of the network plugin' }),
      ...this.betweenNodes('NodeMetrics', { port: 9100, why: 'node exporter: metrics of the host' }),
    };
    operatorCidrs.forEach((cidr) => {
      rules[`ApiFrom${cidr}`] = {
        to: apiLoadBalancer,
        from: cidr,
        port: API_PORT,
        why: `Kubernetes API, from operators at ${cidr}`,
      };
    });
    for (const [ruleId, rule] of Object.entries(rules)) this.allow(ruleId, rule);

    new ec2.CfnSecurityGroupEgress(this, 'LoadBalancerToSeats', {
      groupId: apiLoadBalancer.attrGroupId,
      destinationSecurityGroupId: seats.attrGroupId,
      ipProtocol: 'tcp',
      fromPort: API_PORT,
      toPort: API_PORT,
      description: 'API server',
    });
  }

  /** The same rule between every pair of seats and pools. */
  private betweenNodes(name: string, rule: Omit<Rule, 'to' | 'from'>): Record<string, Rule> {
    const { seats, pools } = this;
    return {
      [`${name}SeatsFromSeats`]: { ...rule, to: seats, from: seats },
      [`${name}SeatsFromPools`]: { ...rule, to: seats, from: pools },
      [`${name}PoolsFromSeats`]: { ...rule, to: pools, from: seats },
      [`${name}PoolsFromPools`]: { ...rule, to: pools, from: pools },
    };
  }

  private allow(id: string, { to, from, protocol = 'tcp', port, lastPort = port, why }: Rule): void {
    const rule = new ec2.CfnSecurityGroupIngress(this, id, {
      groupId: to.attrGroupId,
      ...(typeof from === 'string' ? { cidrIp: from } : { sourceSecurityGroupId: from.attrGroupId }),
      ipProtocol: protocol,
      fromPort: port,
      toPort: lastPort,
      description: why,
    });
    if (from === '0.0.0.0/0') {
      Validations.of(rule).acknowledge({
        id: 'AwsSolutions-EC23',
        reason:
          to === this.ingress
            ? 'The ingress serves the public: two ports, on the one node with the Elastic IP'
            : 'The user opened the API to the world, and said iKnowTheApiIsOpenToTheWorld',
      });
    }
  }
}
