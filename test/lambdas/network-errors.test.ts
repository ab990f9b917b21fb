import { EC2Client, DescribeInstancesCommand } from '@aws-sdk/client-ec2';
import { nameNetworkErrors } from '../../lambdas/shared/clients/name-network-errors';
import { thrownBy } from './support';

/** A client of the real SDK whose connections fail so. */
function clientThat(fails: () => Promise<never>): EC2Client {
  const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'test' };
  const requestHandler = { handle: fails, metadata: { handlerProtocol: 'http/1.1' } };
  return nameNetworkErrors(new EC2Client({ region: 'us-east-1', credentials, maxAttempts: 1, requestHandler }));
}

const ask = (client: EC2Client) => thrownBy(client.send(new DescribeInstancesCommand({})));

test.each(['ECONNREFUSED', 'ENOTFOUND', 'ECONNRESET', 'EAI_AGAIN'])(
  '%s becomes AwsUnavailable, the cause kept',
  async (code) => {
    const error = await ask(
      clientThat(() => Promise.reject(Object.assign(new Error(`connect ${code} 10.0.0.1:443`), { code }))),
    );
    expect(error).toMatchObject({ name: 'AwsUnavailable', message: `Error: connect ${code} 10.0.0.1:443` });
    expect(error.cause).toMatchObject({ code });
  },
);

test('one that is wrapped counts as well', async () => {
  const cause = Object.assign(new Error('read'), { code: 'ECONNRESET' });
  const error = await ask(clientThat(() => Promise.reject(new TypeError('fetch failed', { cause }))));
  expect(error.name).toBe('AwsUnavailable');
});

test('another error stays what it is', async () => {
  await expect(ask(clientThat(() => Promise.reject(new RangeError('too large'))))).resolves.toMatchObject({
    name: 'RangeError',
  });
});
