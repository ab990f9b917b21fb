import { type CfnTag, Fn, Stack, Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import { type SeatPlace, subnetCidr } from '../../../core/config/addresses';
import { AddressReservations, type AddressReservationsProps } from './address-reservations';
import { EXPLICIT_ZONES } from './explicit-zones';

export interface NetworkProps {
  /** Name of the cluster, for the Name tags that the console shows. */
  cluster: string;
  vpcCidr: string;
  /** Letters of the zones to use. */
  zones: readonly string[];
  /** Places of the control-plane seats, whose addresses are reserved. */
  seats: readonly SeatPlace[];
  /** The function that reserves them. */
  reserveAddresses: Pick<AddressReservationsProps, 'codePath' | 'logRetentionDays'>;
}

/**
 * A VPC with one public subnet per zone and no NAT gateway: nodes get public addresses while they run, and nothing here
 * is billed. Written in CloudFormation's own resources because each subnet's range must follow from its zone's letter
 * alone: the library's VPC numbers its subnets, so that a removed zone would replace its successors.
 */
export class Network extends Construct {
  readonly vpcId: string;
  /** Subnet IDs by zone letter. */
  readonly subnetIds: Readonly<Record<string, string>>;

  constructor(scope: Construct, id: string, props: NetworkProps) {
    super(scope, id);
    const { cluster, vpcCidr, zones, seats, reserveAddresses } = props;
    Validations.of(this).acknowledge(EXPLICIT_ZONES);
    const named = (name: string): CfnTag[] => [{ key: 'Name', value: `${cluster}-${name}` }];
    const vpc = new ec2.CfnVPC(this, 'Vpc', {
      cidrBlock: vpcCidr,
      enableDnsHostnames: true,
      enableDnsSupport: true,
      tags: named('vpc'),
    });
    Validations.of(vpc).acknowledge({
      id: 'AwsSolutions-VPC7',
      reason:
        'Flow logs are billed by what flows; every rule is written out, and the audit stack records changes to them',
    });
    const gateway = new ec2.CfnInternetGateway(this, 'InternetGateway', { tags: named('internet') });
    const attachment = new ec2.CfnVPCGatewayAttachment(this, 'GatewayAttachment', {
      vpcId: vpc.ref,
      internetGatewayId: gateway.ref,
    });
    const routes = new ec2.CfnRouteTable(this, 'PublicRoutes', { vpcId: vpc.ref, tags: named('public') });
    new ec2.CfnRoute(this, 'InternetRoute', {
      routeTableId: routes.ref,
      destinationCidrBlock: '0.0.0.0/0',
      gatewayId: gateway.ref,
    }).addResourceDependency(attachment);

    this.vpcId = vpc.ref;
    this.subnetIds = Object.fromEntries(
      zones.map((zone) => {
        const subnet = new ec2.CfnSubnet(this, `Subnet${zone.toUpperCase()}`, {
          vpcId: vpc.ref,
          availabilityZone: `${Stack.of(this).region}${zone}`,
          cidrBlock: subnetCidr({ vpcCidr }, zone),
          // Without NAT a node reaches packages, images and AWS only by a public address of its own.
          mapPublicIpOnLaunch: true,
          tags: [
            ...named(`public-${zone}`),
            { key: `kubernetes.io/cluster/${cluster}`, value: 'shared' },
            { key: 'kubernetes.io/role/elb', value: '1' },
          ],
        });
        new ec2.CfnSubnetRouteTableAssociation(this, `Routes${zone.toUpperCase()}`, {
          subnetId: subnet.ref,
          routeTableId: routes.ref,
        });
        return [zone, subnet.ref];
      }),
    );
    new AddressReservations(this, 'SeatAddresses', { cluster, subnetIds: this.subnetIds, seats, ...reserveAddresses });
    // Free, and keeps the node bundle, snapshots and image layers (registries store them in S3) off the internet.
    // Its policy stays open because those layers come from buckets of others; the roles say who may reach ours.
    new ec2.CfnVPCEndpoint(this, 'S3Endpoint', {
      vpcId: vpc.ref,
      vpcEndpointType: 'Gateway',
      serviceName: Fn.sub('com.amazonaws.${AWS::Region}.s3'),
      routeTableIds: [routes.ref],
    });
  }
}
