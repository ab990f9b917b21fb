import { GetParametersCommand, SSMClient } from '@aws-sdk/client-ssm';
import { App, Stack } from 'aws-cdk-lib';
import { mockClient } from 'aws-sdk-client-mock';
import { CURRENT_IMAGES, GPU_IMAGE, nodeImage, UBUNTU_IMAGE } from '../../lib/constructs/node-group/node-image';
import { currentImages } from '../../lib/deploy/current-images';

const ssm = mockClient(SSMClient);
const said: string[] = [];
const ask = () => currentImages(new SSMClient({}), (line) => said.push(line));

beforeEach(() => {
  ssm.reset();
  said.length = 0;
});

test('both parameters are asked for; one that the region does not have is left out', async () => {
  ssm.on(GetParametersCommand, { Names: [UBUNTU_IMAGE, GPU_IMAGE] }).resolves({
    Parameters: [{ Name: UBUNTU_IMAGE, Value: 'ami-1' }],
    InvalidParameters: [GPU_IMAGE],
  });
  expect(await ask()).toEqual({ [UBUNTU_IMAGE]: 'ami-1' });
  expect(said).toEqual([]);
});

test('whoever may not look is told, and deploys as before', async () => {
  ssm.on(GetParametersCommand).rejects(Object.assign(new Error('not you'), { name: 'AccessDeniedException' }));
  expect(await ask()).toBeUndefined();
  expect(said).toEqual(['Not shown which images nodes would be made from (AccessDeniedException: not you)']);
});

test('what is known is in the template, where a diff shows it; else CloudFormation looks', () => {
  const images = (context: object | undefined) => {
    const stack = new Stack(new App({ context: { [CURRENT_IMAGES]: context } }), 'stack');
    return [
      nodeImage(stack, { gpu: false }),
      nodeImage(stack, { gpu: true }),
      nodeImage(stack, { gpu: true, ami: 'ami-own' }),
    ].map((image) => (image.startsWith('ami-') ? image : 'asked at deploy'));
  };
  expect(images({ [UBUNTU_IMAGE]: 'ami-1', [GPU_IMAGE]: 'ami-2' })).toEqual(['ami-1', 'ami-2', 'ami-own']);
  expect(images({ [UBUNTU_IMAGE]: 'ami-1' })).toEqual(['ami-1', 'asked at deploy', 'ami-own']);
  expect(images(undefined)).toEqual(['asked at deploy', 'asked at deploy', 'ami-own']);
});
