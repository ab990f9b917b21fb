import { Validations } from 'aws-cdk-lib';
import { CfnVPC } from 'aws-cdk-lib/aws-ec2';
import { AwsSolutionsChecks } from 'cdk-nag';
import { EVERYTHING } from '../support/configs';
import { makeApp } from '../support/app';

/** Synthesizes with cdk-nag's AWS Solutions pack, which makes the synthesis throw if it finds anything. */
function check(yaml: string, change?: (made: ReturnType<typeof makeApp>) => void): void {
  const made = makeApp(yaml);
  change?.(made);
  Validations.of(made.app).addPlugins(new AwsSolutionsChecks(made.app));
  made.app.synth();
}

test.each([
  ['the default cluster', ''],
  ['three seats with everything switched on', EVERYTHING],
])('%s has no finding of the AWS Solutions pack without a written reason', (_, yaml) => {
  expect(() => check(yaml)).not.toThrow();
});

test('a finding without a reason fails', () => {
  const withoutFlowLog = () =>
    check('', ({ stacks }) => {
      new CfnVPC(stacks.foundation, 'Other', { cidrBlock: '10.9.0.0/16' });
    });
  expect(withoutFlowLog).toThrow('AwsSolutions-VPC7');
});
