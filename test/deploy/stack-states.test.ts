import {
  CloudFormationClient,
  ContinueUpdateRollbackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  StackStatus,
  UpdateTerminationProtectionCommand,
} from '@aws-sdk/client-cloudformation';
import { mockClient } from 'aws-sdk-client-mock';
import { mendOf, mendStack } from '../../lib/deploy/stack-states';

jest.mock('node:timers/promises', () => ({ setTimeout: () => Promise.resolve() }));

/** What each state of CloudFormation's needs before a deployment. */
const MENDS: Record<Exclude<StackStatus, 'DELETE_COMPLETE'>, ReturnType<typeof mendOf>> = {
  CREATE_COMPLETE: 'nothing',
  CREATE_FAILED: 'delete',
  CREATE_IN_PROGRESS: 'wait',
  DELETE_FAILED: 'delete',
  DELETE_IN_PROGRESS: 'wait',
  IMPORT_COMPLETE: 'nothing',
  IMPORT_IN_PROGRESS: 'wait',
  IMPORT_ROLLBACK_COMPLETE: 'nothing',
  IMPORT_ROLLBACK_FAILED: 'delete',
  IMPORT_ROLLBACK_IN_PROGRESS: 'wait',
  REVIEW_IN_PROGRESS: 'nothing',
  ROLLBACK_COMPLETE: 'delete',
  ROLLBACK_FAILED: 'delete',
  ROLLBACK_IN_PROGRESS: 'wait',
  UPDATE_COMPLETE: 'nothing',
  UPDATE_COMPLETE_CLEANUP_IN_PROGRESS: 'wait',
  UPDATE_FAILED: 'nothing',
  UPDATE_IN_PROGRESS: 'wait',
  UPDATE_ROLLBACK_COMPLETE: 'nothing',
  UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS: 'wait',
  UPDATE_ROLLBACK_FAILED: 'continue-rollback',
  UPDATE_ROLLBACK_IN_PROGRESS: 'wait',
};

test('every state that CloudFormation has is known', () => {
  const { DELETE_COMPLETE, ...states } = StackStatus;
  expect(DELETE_COMPLETE).toBeDefined();
  expect(Object.keys(MENDS).sort()).toEqual(Object.values(states).sort());
});

test.each(Object.entries(MENDS))('a stack that is %s needs: %s', (status, mend) => {
  expect(mendOf(status)).toBe(mend);
});

describe('mending', () => {
  const mock = mockClient(CloudFormationClient);
  const client = new CloudFormationClient({ region: 'us-east-1' });
  const said: string[] = [];
  const mend = () => mendStack(client, 'drowse-foundation', (line) => said.push(line));
  const states = (...list: (StackStatus | undefined)[]) => {
    const described = mock.on(DescribeStacksCommand);
    for (const status of list) {
      const missing = Object.assign(new Error('Stack with id drowse-foundation does not exist'), {
        name: 'ValidationError',
      });
      if (status === undefined) described.rejectsOnce(missing);
      else described.resolvesOnce({ Stacks: [{ StackName: 'x', CreationTime: new Date(), StackStatus: status }] });
    }
  };
  beforeEach(() => {
    mock.reset();
    said.length = 0;
  });

  test('a foundation whose creation has failed is deleted, although it is protected', async () => {
    states('ROLLBACK_COMPLETE', 'DELETE_IN_PROGRESS', undefined, undefined);
    await mend();
    expect(mock.commandCalls(UpdateTerminationProtectionCommand)).toHaveLength(1);
    expect(mock.commandCalls(DeleteStackCommand)).toHaveLength(1);
    expect(said).toEqual(['Stack drowse-foundation is ROLLBACK_COMPLETE: deleting it …']);
  });

  test('one that is being rolled back is waited for, then deleted', async () => {
    states(
      'ROLLBACK_IN_PROGRESS',
      'ROLLBACK_IN_PROGRESS',
      'ROLLBACK_COMPLETE',
      'ROLLBACK_COMPLETE',
      undefined,
      undefined,
    );
    await mend();
    expect(said).toHaveLength(2);
    expect(mock.commandCalls(DeleteStackCommand)).toHaveLength(1);
  });

  test('an update that could not be rolled back is', async () => {
    states('UPDATE_ROLLBACK_FAILED', 'UPDATE_ROLLBACK_COMPLETE', 'UPDATE_ROLLBACK_COMPLETE');
    await mend();
    expect(mock.commandCalls(ContinueUpdateRollbackCommand)).toHaveLength(1);
    expect(mock.commandCalls(DeleteStackCommand)).toHaveLength(0);
  });

  test('one that cannot be deleted is told with what stands in the way', async () => {
    states('DELETE_FAILED', 'DELETE_FAILED');
    mock.on(DescribeStackEventsCommand).resolves({
      StackEvents: [
        {
          StackId: 's',
          EventId: 'e',
          StackName: 'x',
          Timestamp: new Date(),
          LogicalResourceId: 'Vpc',
          ResourceStatus: 'DELETE_FAILED',
          ResourceStatusReason: 'The vpc has dependencies and cannot be deleted.',
        },
      ],
    });
    await expect(mend()).rejects.toMatchObject({
      message: 'Stack drowse-foundation could not be deleted (DELETE_FAILED)',
      details: 'Vpc: The vpc has dependencies and cannot be deleted.',
    });
  });

  test('one that is whole, or not there, is left alone', async () => {
    states('UPDATE_COMPLETE', undefined);
    await mend();
    await mend();
    expect(mock.commandCalls(DeleteStackCommand)).toHaveLength(0);
    expect(said).toEqual([]);
  });
});
