import { cdkCommand, isDeployment, readCdkCommand } from '../../lib/deploy/cdk-command';

test.each([
  ['node /app/node_modules/.bin/cdk deploy --all', { verb: 'deploy', namesStacks: true }],
  ['node /app/node_modules/aws-cdk/bin/cdk deploy drowse-cluster', { verb: 'deploy', namesStacks: true }],
  ['node /app/node_modules/.bin/cdk deploy', { verb: 'deploy', namesStacks: false }],
  ['node /app/node_modules/.bin/cdk deploy --quiet', { verb: 'deploy', namesStacks: false }],
  ['node /app/node_modules/.bin/cdk --no-color deploy --all', { verb: 'deploy', namesStacks: true }],
  ['cdk synth --quiet', { verb: 'synth', namesStacks: false }],
  ['cdk diff --all', { verb: 'diff', namesStacks: true }],
  ['cdk', undefined],
  ['sh -c node --import tsx bin/app.ts', undefined],
  ['npm exec cdk-assets publish', undefined],
])('%s', (line, command) => {
  expect(readCdkCommand(line.split(' '))).toEqual(command);
});

describe('a deployment', () => {
  test('that names its stacks is one', () => {
    expect(isDeployment({ verb: 'deploy', namesStacks: true })).toBe(true);
  });

  test('that names none is told the one command', () => {
    expect(() => isDeployment({ verb: 'deploy', namesStacks: false })).toThrow('cdk deploy does not say what');
  });

  test.each([undefined, { verb: 'synth', namesStacks: false }, { verb: 'diff', namesStacks: true }])(
    'is not %j',
    (command) => {
      expect(isDeployment(command)).toBe(false);
    },
  );
});

test('the process that runs the tests is no CDK CLI', () => {
  expect(cdkCommand()).toBeUndefined();
});
