import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateSubnetCidrReservationCommand,
  DeleteSubnetCidrReservationCommand,
  type EC2Client,
  GetSubnetCidrReservationsCommand,
  type SubnetCidrReservation,
} from '@aws-sdk/client-ec2';
import * as z from 'zod';
import { check } from '../shared/step/check';
import { ec2 } from '../shared/clients/clients';
import { customResource, type CustomResourceRequest, NEVER_MADE } from '../shared/step/custom-resource';
import { InvalidInput } from '../shared/step/errors';

const properties = z.object({ SubnetId: z.string().min(1), Cidr: z.cidrv4(), Description: z.string() });

interface Deps {
  ec2: EC2Client;
  wait?: (ms: number) => Promise<unknown>;
}

/** A role that was made a moment ago is not known everywhere yet: how often to try again, and how long apart (ms). */
const UNKNOWN_ROLE = { attempts: 12, ms: 5_000 };

/**
 * Keeps addresses of a subnet from being given out by AWS: those of control-plane seats, which a seat takes over at boot.
 * CloudFormation has a type for it in two regions only, the API is everywhere. The ID says what is reserved, so that a
 * repeated request finds what an earlier one made, and other properties make another reservation before the old one goes.
 */
export const reserveAddresses =
  ({ ec2, wait = sleep }: Deps) =>
  async ({
    RequestType,
    PhysicalResourceId = NEVER_MADE,
    ResourceProperties,
  }: CustomResourceRequest): Promise<string> => {
    if (RequestType === 'Delete') {
      const [subnetId, cidr] = PhysicalResourceId.split('|');
      // A creation that failed made nothing.
      if (subnetId !== undefined && cidr !== undefined) {
        for (const id of await reservationsOf(ec2, subnetId, cidr)) await release(ec2, id);
      }
      return PhysicalResourceId;
    }
    const wanted = check(properties, ResourceProperties, InvalidInput, 'properties of the reservation');
    for (let attempt = 1; ; attempt++) {
      try {
        const found = await reservationsOf(ec2, wanted.SubnetId, wanted.Cidr);
        if (found.length === 0) await reserve(ec2, wanted);
        return `${wanted.SubnetId}|${wanted.Cidr}`;
      } catch (error) {
        if (!isNamed(error, 'UnauthorizedOperation') || attempt === UNKNOWN_ROLE.attempts) throw error;
        await wait(UNKNOWN_ROLE.ms);
      }
    }
  };

async function reserve(ec2: EC2Client, { SubnetId, Cidr, Description }: z.output<typeof properties>): Promise<void> {
  try {
    await ec2.send(
      new CreateSubnetCidrReservationCommand({ SubnetId, Cidr, ReservationType: 'explicit', Description }),
    );
  } catch (error) {
    // An earlier call may have made it although its answer got lost: what counts is what is there.
    if ((await reservationsOf(ec2, SubnetId, Cidr)).length === 0) throw error;
  }
}

/** IDs of the reservations of exactly this range that keep it from being given out; none if the subnet is gone. */
async function reservationsOf(ec2: EC2Client, subnetId: string, cidr: string): Promise<string[]> {
  const found: SubnetCidrReservation[] = [];
  let NextToken: string | undefined;
  do {
    try {
      const page = await ec2.send(new GetSubnetCidrReservationsCommand({ SubnetId: subnetId, NextToken }));
      found.push(...(page.SubnetIpv4CidrReservations ?? []));
      NextToken = page.NextToken;
    } catch (error) {
      if (isNamed(error, 'InvalidSubnetID.NotFound')) return [];
      throw error;
    }
  } while (NextToken !== undefined && NextToken !== '');
  return found.flatMap(({ Cidr, ReservationType, SubnetCidrReservationId }) =>
    Cidr === cidr && ReservationType === 'explicit' && SubnetCidrReservationId !== undefined
      ? [SubnetCidrReservationId]
      : [],
  );
}

async function release(ec2: EC2Client, SubnetCidrReservationId: string): Promise<void> {
  try {
    await ec2.send(new DeleteSubnetCidrReservationCommand({ SubnetCidrReservationId }));
  } catch (error) {
    if (!isNamed(error, 'InvalidSubnetCidrReservationID.NotFound')) throw error;
  }
}

function isNamed(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name;
}

export const handler = customResource(() => reserveAddresses({ ec2: ec2() }));
