import { type Address, DescribeAddressesCommand, type EC2Client } from '@aws-sdk/client-ec2';
import { TAG } from '../../lib/config/names';

/** The cluster's Elastic IP, found by tag; undefined if it was released. */
export async function describeElasticIp(client: EC2Client, cluster: string): Promise<Address | undefined> {
  const { Addresses } = await client.send(
    new DescribeAddressesCommand({ Filters: [{ Name: `tag:${TAG.cluster}`, Values: [cluster] }] }),
  );
  return Addresses?.[0];
}
