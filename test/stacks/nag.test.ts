import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Validations } from 'aws-cdk-lib';
import { CfnVPC } from 'aws-cdk-lib/aws-ec2';
import { AwsSolutionsChecks } from 'cdk-nag';
import { EVERYTHING } from '../support/configs';
import { makeApp } from '../support/app';

interface Report {
  pluginReports: { pluginName: string; violations: { ruleName: string; description: string }[] }[];
}

/** Synthesizes with CDK's own rules, which only report, and cdk-nag's AWS Solutions pack, which throws if it finds anything. */
function check(yaml: string, change?: (made: ReturnType<typeof makeApp>) => void): Report['pluginReports'] {
  process.env.CDK_VALIDATION = 'true';
  const made = makeApp(yaml);
  change?.(made);
  Validations.of(made.app).addPlugins(new AwsSolutionsChecks(made.app));
  const { directory } = made.app.synth();
  return (JSON.parse(readFileSync(join(directory, 'validation-report.json'), 'utf8')) as Report).pluginReports;
}

test.each([
  ['the default cluster', ''],
  ['three seats with everything switched on', EVERYTHING],
])('%s has no finding of CDK’s rules or the AWS Solutions pack without a written reason', (_, yaml) => {
  const reports = check(yaml);
  expect(reports.map(({ pluginName }) => pluginName)).toContain('CloudFormation Validate');
  expect(reports.flatMap(({ violations }) => violations)).toEqual([]);
});

test('a finding without a reason fails', () => {
  const withoutFlowLog = () =>
    check('', ({ stacks }) => {
      new CfnVPC(stacks.foundation, 'Other', { cidrBlock: '10.9.0.0/16' });
    });
  expect(withoutFlowLog).toThrow('AwsSolutions-VPC7');
});
