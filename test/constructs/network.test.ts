import { EVERYTHING } from '../support/configs';
import { resourcesOf, synthesize } from '../support/stacks';

interface Rule {
  GroupId: { 'Fn::GetAtt': [string, string] };
  SourceSecurityGroupId?: { 'Fn::GetAtt': [string, string] };
  CidrIp?: string;
  IpProtocol: string;
  FromPort: number;
  ToPort: number;
}

/** `Seats <- Pools tcp 6443`, for every rule of a configuration. */
function rulesOf(yaml: string): string[] {
  const short = (id: string) => /^Access([A-Za-z]+?)[0-9A-F]{8}$/.exec(id)?.[1] ?? id;
  return resourcesOf(synthesize(yaml).templates.cluster, 'AWS::EC2::SecurityGroupIngress')
    .map(([, { Properties }]) => {
      const rule = Properties as unknown as Rule;
      const from = rule.CidrIp ?? short(rule.SourceSecurityGroupId?.['Fn::GetAtt'][0] ?? '');
      const ports =
        rule.FromPort === rule.ToPort ? String(rule.FromPort) : `${String(rule.FromPort)}-${String(rule.ToPort)}`;
      return `${short(rule.GroupId['Fn::GetAtt'][0])} <- ${from} ${rule.IpProtocol} ${ports}`;
    })
    .sort();
}

const BETWEEN_NODES = ['tcp 10250', 'udp 4789', 'tcp 5473', 'tcp 9100'].flatMap((port) =>
  ['Seats', 'Pools'].flatMap((to) => ['Seats', 'Pools'].map((from) => `${to} <- ${from} ${port}`)),
);
const ALWAYS = [
  ...BETWEEN_NODES,
  'Seats <- Seats tcp 6443',
  'Seats <- Pools tcp 6443',
  'Seats <- ApiLoadBalancer tcp 6443',
  'Seats <- Pools tcp 9097',
  'Seats <- Seats tcp 2379-2380',
  'Ingress <- 0.0.0.0/0 tcp 80',
  'Ingress <- 0.0.0.0/0 tcp 443',
];

test('these ways are open, and no others', () => {
  expect(rulesOf('')).toEqual([...ALWAYS].sort());
});

test('operators reach the API through the load balancer alone', () => {
  expect(rulesOf(EVERYTHING)).toEqual([...ALWAYS, 'ApiLoadBalancer <- 203.0.113.0/24 tcp 6443'].sort());
});

test('with a tunnel the load balancer’s group lets nobody in', () => {
  expect(rulesOf('apiAccess: tunnel\noperatorCidrs: [203.0.113.0/24]')).toEqual([...ALWAYS].sort());
});

test('neither SSH nor NodePorts are open to anybody', () => {
  const ports = rulesOf(EVERYTHING).map((rule) => rule.split(' ').at(-1));
  expect(ports).not.toContain('22');
  expect(ports.some((port) => Number(port) >= 30_000)).toBe(false);
});

test('subnets are public, one a zone, with literal ranges; there is no NAT gateway', () => {
  const { foundation } = synthesize(EVERYTHING).templates;
  expect(resourcesOf(foundation, 'AWS::EC2::Subnet').map(([, { Properties }]) => Properties)).toEqual(
    [
      ['us-east-1a', '10.0.0.0/19'],
      ['us-east-1b', '10.0.32.0/19'],
      ['us-east-1c', '10.0.64.0/19'],
    ].map(
      ([AvailabilityZone, CidrBlock]) =>
        expect.objectContaining({ AvailabilityZone, CidrBlock, MapPublicIpOnLaunch: true }) as unknown,
    ),
  );
  expect(resourcesOf(foundation, 'AWS::EC2::NatGateway')).toEqual([]);
});

test('a zone that goes takes no other zone’s subnet along', () => {
  const before = resourcesOf(synthesize('zones: [a, b, c]').templates.foundation, 'AWS::EC2::Subnet');
  const after = resourcesOf(synthesize('zones: [a, c]').templates.foundation, 'AWS::EC2::Subnet');
  expect(before).toEqual(expect.arrayContaining(after));
  expect(after).toHaveLength(2);
});
