import { DescribeVolumesCommand, EC2Client, type Volume } from '@aws-sdk/client-ec2';
import { GetParameterCommand, ParameterNotFound, SSMClient } from '@aws-sdk/client-ssm';
import { mockClient } from 'aws-sdk-client-mock';
import { parseConfig } from '../../lib/config/load';
import { refuseImpossible } from '../../lib/deploy/refuse-impossible';

const ec2 = mockClient(EC2Client);
const ssm = mockClient(SSMClient);
const clients = { ec2: new EC2Client({}), ssm: new SSMClient({}) };
const config = parseConfig('kubernetes: { version: 1.37.0 }');

beforeEach(() => {
  ec2.reset();
  ssm.reset();
  ec2.on(DescribeVolumesCommand).resolves({ Volumes: [volume('drowse', 8)] });
});

function volume(cluster: string, Size: number): Volume {
  const tags = { 'drowse:cluster': cluster, 'drowse:seat': '0' };
  return { Size, Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) };
}

function runs(kubernetes: string): void {
  const running = { kubernetes, podCidr: '10.244.0.0/16', serviceCidr: '10.96.0.0/12', seats: 1 };
  ssm.on(GetParameterCommand, { Name: '/drowse/drowse/running' }).resolves({
    Parameter: { Value: JSON.stringify(running) },
  });
}

test('what can be made of the cluster that runs is let through', async () => {
  runs('1.36.3');
  await expect(refuseImpossible(clients, config)).resolves.toBeUndefined();
});

test('so is everything before a first boot, and a volume of another cluster is nobody’s business', async () => {
  ec2.on(DescribeVolumesCommand).resolves({ Volumes: [volume('other', 100)] });
  ssm.on(GetParameterCommand).rejects(new ParameterNotFound({ message: 'none', $metadata: {} }));
  await expect(refuseImpossible(clients, config)).resolves.toBeUndefined();
});

test('all that is impossible is named at once', async () => {
  runs('1.35.4');
  ec2.on(DescribeVolumesCommand).resolves({ Volumes: [volume('drowse', 20)] });
  await expect(refuseImpossible(clients, config)).rejects.toMatchObject({
    name: 'CommandFailed',
    message: expect.stringMatching(
      /controlPlane\.stateVolumeGiB: 8 is less than the 20 GiB[^]*kubernetes\.version: 1\.37\.0 skips a minor/,
    ) as string,
    remedy: 'Nothing was changed.',
  });
});

test('not knowing what runs is no leave to go on', async () => {
  ssm.on(GetParameterCommand).rejects(new Error('throttled'));
  await expect(refuseImpossible(clients, config)).rejects.toThrow('throttled');
});
