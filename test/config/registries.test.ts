import { parseConfig } from '../../lib/config/load';
import { ECR_IMAGES, ecrRepositoriesOf } from '../../core/config/registries';

const arnsOf = (yaml: string): string[] => ecrRepositoriesOf(parseConfig(yaml));

test.each([
  ['nothing', '', []],
  ['an app in another registry', 'app: { image: ghcr.io/you/ghibli }', []],
  [
    'an app in ECR: no field more is needed',
    'app: { image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/ghibli }',
    ['arn:aws:ecr:eu-west-1:123456789012:repository/ghibli'],
  ],
  [
    'a repository in another partition',
    `registries: { ecr: [123456789012.dkr.ecr.us-gov-west-1.amazonaws.com/base] }`,
    ['arn:aws-us-gov:ecr:us-gov-west-1:123456789012:repository/base'],
  ],
  [
    'repositories, one of them twice, one by its beginning, one of another account',
    `registries: { ecr: [
      '123456789012.dkr.ecr.us-east-1.amazonaws.com/team/*', 210987654321.dkr.ecr.us-east-1.amazonaws.com/base,
      210987654321.dkr.ecr.us-east-1.amazonaws.com/base ] }`,
    ['arn:aws:ecr:us-east-1:123456789012:repository/team/*', 'arn:aws:ecr:us-east-1:210987654321:repository/base'],
  ],
])('%s', (_, yaml, arns) => {
  expect(arnsOf(yaml)).toEqual(arns);
});

test.each([
  ['an ARN', 'arn:aws:ecr:us-east-1:123456789012:repository/x'],
  ['a tag', '123456789012.dkr.ecr.us-east-1.amazonaws.com/x:1'],
  ['a registry alone', '123456789012.dkr.ecr.us-east-1.amazonaws.com'],
  ['a star in the middle', '123456789012.dkr.ecr.us-east-1.amazonaws.com/*/x'],
])('%s is refused with an example', (_, repository) => {
  expect(() => arnsOf(`registries: { ecr: ['${repository}'] }`)).toThrow(
    /registries\.ecr\[0\][\s\S]*for example 123456789012\.dkr\.ecr\.us-east-1\.amazonaws\.com\/team\/\*/,
  );
});

test('the kubelet asks for credentials of every registry of ECR', () => {
  expect(ECR_IMAGES).toBe('*.dkr.ecr.*.amazonaws.com');
});
