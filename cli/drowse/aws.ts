import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { AwsClient } from 'aws4fetch';
import { namesOf } from '../../core/config/names';
import { explainAws } from './explain-aws';
import type { Target } from './target';

/** Who asks, and in which account. */
export interface Identity {
  account: string;
  partition: string;
  /** What stands for the person in records: `cli:alice`. */
  requestedBy: string;
}

/** Asks AWS something about a cluster. @throws CommandFailed in place of an error that a person can do something about */
export async function ask<T>({ description }: Pick<Target, 'description'>, question: () => Promise<T>): Promise<T> {
  try {
    return await question();
  } catch (error) {
    throw explainAws(error, description);
  }
}

/**
 * Signs requests to what has no client of its own, by the credentials that the SDK finds.
 * @param retries of requests that fail; the library's own number without it
 * @throws what the SDK throws where there are none
 */
export async function signerOf(service: string, region: string, retries?: number): Promise<AwsClient> {
  const { accessKeyId, secretAccessKey, sessionToken } = await new STSClient({ region }).config.credentials();
  return new AwsClient({
    ...{ accessKeyId, secretAccessKey, service, region },
    ...(sessionToken !== undefined && { sessionToken }),
    ...(retries !== undefined && { retries }),
  });
}

/** @throws CommandFailed without credentials that AWS takes */
export async function identityOf(target: Pick<Target, 'region' | 'description'>): Promise<Identity> {
  const { Account: account = '', Arn = '' } = await ask(target, () =>
    new STSClient({ region: target.region }).send(new GetCallerIdentityCommand({})),
  );
  const [, partition = 'aws'] = Arn.split(':');
  return { account, partition, requestedBy: `cli:${Arn.split('/').at(-1) ?? ''}` };
}

/** The cluster's bucket. */
export async function bucketOf(target: Target): Promise<string> {
  const { account } = await identityOf(target);
  return namesOf(target.cluster).bucket(account, target.region);
}
