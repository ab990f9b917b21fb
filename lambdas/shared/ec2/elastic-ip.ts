import {
  type Address,
  AssociateAddressCommand,
  DescribeAddressesCommand,
  DisassociateAddressCommand,
  type EC2Client,
} from '@aws-sdk/client-ec2';
import { TAG } from '../../../core/config/names';
import { InstanceNotRunning } from '../step/errors';

/** Where the Elastic IP is at a moment. */
export interface ElasticIp {
  id: string;
  /** The instance that has it. */
  holder: string | undefined;
  /** Identifies this association: another one, even with the same instance, has another ID. */
  association: string | undefined;
}

/** Where the cluster's Elastic IP is now. */
export async function readElasticIp(client: EC2Client, id: string): Promise<ElasticIp> {
  const { Addresses } = await client.send(new DescribeAddressesCommand({ AllocationIds: [id] }));
  const { InstanceId: holder, AssociationId: association } = Addresses?.[0] ?? {};
  return { id, holder, association };
}

/**
 * Gives an instance the Elastic IP, if that is still where it was seen: whoever comes second of two changes nothing.
 * @returns the instance that has it then
 * @throws InstanceNotRunning the instance went in between
 */
export async function giveElasticIp(
  client: EC2Client,
  seen: ElasticIp,
  instanceId: string,
): Promise<string | undefined> {
  const { id } = seen;
  try {
    const taken = await takeElasticIp(client, seen);
    if (taken.association) return taken.holder;
    await client.send(
      new AssociateAddressCommand({ AllocationId: id, InstanceId: instanceId, AllowReassociation: false }),
    );
    return instanceId;
  } catch (error) {
    const { name, message } = error as Error;
    if (name.startsWith('InvalidInstanceID')) throw new InstanceNotRunning(message);
    if (name !== 'Resource.AlreadyAssociated') throw error;
    return (await readElasticIp(client, id)).holder;
  }
}

/**
 * Takes the Elastic IP from where it was seen. An association that is gone has no tags that a condition could match, so AWS
 * may call it denied as well as not found: what counts is where the address is now.
 */
async function takeElasticIp(client: EC2Client, seen: ElasticIp): Promise<ElasticIp> {
  const free = { ...seen, holder: undefined, association: undefined };
  if (!seen.association) return free;
  try {
    await client.send(new DisassociateAddressCommand({ AssociationId: seen.association }));
    return free;
  } catch (error) {
    const now = await readElasticIp(client, seen.id);
    if (now.association === seen.association) throw error;
    return now;
  }
}

/** The cluster's Elastic IP, found by tag; undefined if it was released. */
export async function describeElasticIp(client: EC2Client, cluster: string): Promise<Address | undefined> {
  const { Addresses } = await client.send(
    new DescribeAddressesCommand({ Filters: [{ Name: `tag:${TAG.cluster}`, Values: [cluster] }] }),
  );
  return Addresses?.[0];
}
