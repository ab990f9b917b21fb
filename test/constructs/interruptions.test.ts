import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Interruptions } from '../../lib/constructs/interruptions/interruptions';

test('the queue of the termination handler gets interruptions and state changes, and no rebalance recommendation', () => {
  const stack = new Stack(new App(), 'Test');
  new Interruptions(stack, 'Interruptions', { queueName: 'x-interruptions' });
  const rules = Template.fromStack(stack).findResources('AWS::Events::Rule') as Record<
    string,
    { Properties: { EventPattern: { 'detail-type': string[] } } }
  >;
  expect(
    Object.values(rules)
      .flatMap(({ Properties }) => Properties.EventPattern['detail-type'])
      .sort(),
  ).toEqual(['EC2 Instance State-change Notification', 'EC2 Spot Instance Interruption Warning']);
});
