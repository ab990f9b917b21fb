import { ArnFormat, CustomResource, Duration, Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { SeatPlace } from '../../../core/config/addresses';
import { allow, WHY } from '../access/statement';
import { functionLogGroup } from '../../../core/config/names';
import { ClusterLogGroup } from '../logs/cluster-log-group';
import { functionRole } from '../access/function-role';

export interface AddressReservationsProps {
  cluster: string;
  /** Subnet IDs by zone letter. */
  subnetIds: Readonly<Record<string, string>>;
  /** Places of the control-plane seats. */
  seats: readonly SeatPlace[];
  /** Folder that holds `index.js`, the bundle of reserve-addresses. */
  codePath: string;
  logRetentionDays: number;
}

/**
 * Keeps the seats' addresses from being given to other instances. CloudFormation's own type for it exists in two regions
 * only (core/facts/regions.json), so a function of ours calls the API, which is everywhere.
 */
export class AddressReservations extends Construct {
  constructor(scope: Construct, id: string, props: AddressReservationsProps) {
    super(scope, id);
    const { cluster, subnetIds, seats, codePath, logRetentionDays } = props;
    const functionName = `${cluster}-reserve-addresses`;
    const logGroup = new ClusterLogGroup(this, 'Logs', {
      logGroupName: functionLogGroup(functionName),
      retentionDays: logRetentionDays,
    });
    const role = functionRole(this, { description: 'Custom resource reserve-addresses', logGroup });
    allow(role, {
      sid: 'ReserveAddresses',
      actions: ['ec2:CreateSubnetCidrReservation'],
      resources: seats.map(({ zone }) =>
        Stack.of(this).formatArn({
          service: 'ec2',
          resource: 'subnet',
          resourceName: subnetIds[zone] ?? '',
          arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
        }),
      ),
    });
    allow(role, {
      sid: 'FindAndReleaseAddresses',
      actions: ['ec2:DeleteSubnetCidrReservation', 'ec2:GetSubnetCidrReservations'],
      resources: ['*'],
      why: WHY.noResourceLevel,
    });
    const reserve = new lambda.Function(this, 'Function', {
      functionName,
      description: 'Custom resource: keeps the addresses of seats',
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      memorySize: 256,
      timeout: Duration.minutes(3),
      code: lambda.Code.fromAsset(codePath),
      handler: 'index.handler',
      role,
      logGroup,
      environment: { POWERTOOLS_SERVICE_NAME: 'reserve-addresses', CLUSTER_NAME: cluster },
    });
    for (const { seat, zone, reservation } of seats) {
      new CustomResource(this, `Seat${String(seat)}`, {
        serviceToken: reserve.functionArn,
        resourceType: 'Custom::SubnetCidrReservation',
        serviceTimeout: Duration.minutes(10),
        properties: {
          SubnetId: subnetIds[zone] ?? '',
          Cidr: reservation,
          Description: `Fixed address of control-plane seat ${String(seat)} of ${cluster}`,
        },
      });
    }
  }
}
