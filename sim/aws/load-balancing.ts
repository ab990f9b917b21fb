import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  DeleteLoadBalancerCommand,
  DescribeListenersCommand,
  DescribeLoadBalancersCommand,
  DuplicateListenerException,
  LoadBalancerNotFoundException,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { details } from './errors';
import { after, Service } from './service';

interface SimLoadBalancer {
  arn: string;
  name: string;
  state: 'provisioning' | 'active';
  subnets: string[];
  listeners: { ListenerArn: string; Port: number; Protocol: string; targetGroup: string }[];
}

/** How long load balancers take (s). A network load balancer takes minutes to become active. */
export interface LoadBalancingTimes {
  activate: number;
  /** For how long a deleted one is still listed. */
  delete: number;
}

/** Elastic Load Balancing: load balancers that come up slowly, with listeners. */
export class LoadBalancing extends Service {
  readonly prefix = 'elasticloadbalancing';
  readonly loadBalancers = new Map<string, SimLoadBalancer>();
  private count = 0;

  constructor(readonly times: LoadBalancingTimes) {
    super();
    this.on(DescribeLoadBalancersCommand, ({ Names }) => {
      const found = [...this.loadBalancers.values()].filter(({ name }) => Names?.includes(name) ?? true);
      if (Names && found.length < Names.length) {
        throw new LoadBalancerNotFoundException(details(`Load balancers '[${Names.join()}]' not found`));
      }
      return { LoadBalancers: found.map(describe) };
    });
    this.on(CreateLoadBalancerCommand, ({ Name = '', Subnets = [] }) => {
      const existing = [...this.loadBalancers.values()].find(({ name }) => name === Name);
      return { LoadBalancers: [describe(existing ?? this.create(Name, Subnets))] };
    });
    this.on(DeleteLoadBalancerCommand, ({ LoadBalancerArn = '' }) => {
      if (this.times.delete === 0) this.loadBalancers.delete(LoadBalancerArn);
      else after(this.times.delete * 1000, () => this.loadBalancers.delete(LoadBalancerArn));
      return {};
    });
    this.on(DescribeListenersCommand, ({ LoadBalancerArn }) => ({ Listeners: this.get(LoadBalancerArn).listeners }));
    this.on(CreateListenerCommand, ({ LoadBalancerArn = '', Port = 0, Protocol = '', DefaultActions }) => {
      const ListenerArn = `${LoadBalancerArn.replace(':loadbalancer/', ':listener/')}/${String(Port)}`;
      const targetGroup = DefaultActions?.[0]?.TargetGroupArn ?? '';
      const { listeners } = this.get(LoadBalancerArn);
      if (listeners.some((listener) => listener.Port === Port)) {
        throw new DuplicateListenerException(details(`A listener already exists on this port for this load balancer`));
      }
      listeners.push({ ListenerArn, Port, Protocol, targetGroup });
      return {};
    });
  }

  private create(name: string, subnets: string[]): SimLoadBalancer {
    this.count += 1;
    const arn = `arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/${name}/${String(this.count)}`;
    const balancer: SimLoadBalancer = { arn, name, state: 'provisioning', subnets, listeners: [] };
    this.loadBalancers.set(arn, balancer);
    after(this.times.activate * 1000, () => (balancer.state = 'active'));
    return balancer;
  }

  private get(arn: string | undefined): SimLoadBalancer {
    const found = this.loadBalancers.get(arn ?? '');
    if (!found) throw new LoadBalancerNotFoundException(details(`Load balancer '${arn ?? ''}' not found`));
    return found;
  }
}

function describe({ arn, name, state }: SimLoadBalancer) {
  const DNSName = `${name}.elb.us-east-1.amazonaws.com`;
  return { LoadBalancerArn: arn, LoadBalancerName: name, DNSName, State: { Code: state } };
}
