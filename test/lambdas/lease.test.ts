import type { Twin } from '../../sim/run';
import { seconds } from '../../sim/virtual-time';
import { arn, begin, live, liveAwake, makeStep } from './support';

const CLUSTER_BUSY = { name: 'ClusterBusy' };

function acquire({ model }: Twin, workflow: string, request: object = { requestedBy: 'test' }): Promise<unknown> {
  const startedAt = new Date().toISOString();
  return makeStep(model, 'acquire-lease')({ execution: arn(workflow), startedAt, workflow, request });
}

describe('acquire-lease', () => {
  test('takes a free lease, sets the state, and hands on what the workflow needs', () =>
    live('', async (twin) => {
      const leased = await begin(twin, 'wake');
      expect(leased).toEqual({
        execution: arn('wake'),
        lease: arn('wake'),
        workflow: 'wake',
        requestedBy: 'test',
        startedAt: '2026-11-20T08:00:00.000Z',
      });
      expect(twin.model.record).toMatchObject({
        state: 'waking',
        since: expect.any(String) as string,
        lease: { owner: arn('wake'), workflow: 'wake', requestedBy: 'test' },
        progress: { owner: arn('wake'), step: 'acquire-lease' },
      });
    }));

  test('is the same when called again', () =>
    live('', async (twin) => {
      const first = await begin(twin, 'wake');
      await expect(acquire(twin, 'wake')).resolves.toMatchObject({ lease: first.lease });
    }));

  test('names the holder, who started it, its age and step to the one who comes second', () =>
    live('', async (twin) => {
      await begin(twin, 'sleep');
      await seconds(180);
      await expect(acquire(twin, 'bootstrap')).rejects.toMatchObject({
        ...CLUSTER_BUSY,
        message: expect.stringMatching(
          /^sleep \(started by test 3 min ago, at acquire-lease\) holds the cluster: arn:.*by-hand/,
        ) as string,
      });
      expect(twin.model.record).toMatchObject({ state: 'sleeping', lease: { workflow: 'sleep' } });
    }));

  test.each([
    ['a wake', 'wake', 'schedule:morning', 'sleep', 'OppositeUnderWay'],
    ["a person's sleep", 'sleep', 'api:ann', 'wake', 'OppositeUnderWay'],
    ["a person's sleep", 'sleep', 'cli', 'bootstrap', 'OppositeUnderWay'],
    ["a schedule's sleep", 'sleep', 'schedule:night', 'wake', 'ClusterBusy'],
    ["an idle detector's sleep", 'sleep', 'idle:gpu', 'wake', 'ClusterBusy'],
    ["the catch-up's sleep", 'sleep', 'catch-up:night', 'wake', 'ClusterBusy'],
    ["a schedule's sleep", 'sleep', 'schedule:night', 'install-platform', 'OppositeUnderWay'],
    ["a schedule's wake", 'wake', 'schedule:night', 'install-platform', 'OppositeUnderWay'],
    ['a second wake', 'wake', 'cli', 'wake', 'ClusterBusy'],
    ['a second sleep', 'sleep', 'cli', 'sleep', 'ClusterBusy'],
    ['a wake', 'wake', 'cli', 'install-platform', 'ClusterBusy'],
  ] as const)('%s (%s by %s) during a %s: %s', (_what, workflow, requestedBy, holder, error) =>
    live('', async (twin) => {
      await begin(twin, holder, arn('holder'));
      await expect(acquire(twin, workflow, { requestedBy })).rejects.toMatchObject({ name: error });
      await seconds(16 * 60);
      await expect(acquire(twin, workflow, { requestedBy })).rejects.toMatchObject(CLUSTER_BUSY);
    }),
  );

  test('tells what to do about a holder that makes no progress', () =>
    live('', async (twin) => {
      await begin(twin, 'sleep');
      await seconds(16 * 60);
      await expect(acquire(twin, 'wake')).rejects.toMatchObject({
        message: expect.stringContaining('no progress for 15 minutes: stop that execution') as string,
      });
    }));

  test.each(['FAILED', 'ABORTED'] as const)('takes over from an execution that ended as %s', (status) =>
    live('', async (twin) => {
      await begin(twin, 'sleep');
      twin.model.stepFunctions.executions.get(arn('sleep'))!.status = status;
      await expect(acquire(twin, 'wake')).resolves.toMatchObject({ lease: arn('wake') });
      expect(twin.model.record).toMatchObject({ state: 'waking', lease: { owner: arn('wake') } });
    }),
  );

  test('takes over from an execution that AWS has forgotten', () =>
    live('', async (twin) => {
      await begin(twin, 'sleep');
      twin.model.stepFunctions.executions.delete(arn('sleep'));
      // Step Functions may not show yet what has just begun.
      await expect(acquire(twin, 'wake')).rejects.toMatchObject({ name: 'OppositeUnderWay' });
      await seconds(301);
      await expect(acquire(twin, 'wake')).resolves.toMatchObject({ lease: arn('wake') });
    }));

  test('a child runs under the lease of its parent, and only while the parent holds it', () =>
    live('', async (twin) => {
      const { lease } = await begin(twin, 'wake');
      await expect(acquire(twin, 'install-platform', { requestedBy: 'test', lease })).resolves.toMatchObject({
        execution: arn('install-platform'),
        lease,
      });
      expect(twin.model.record).toMatchObject({ state: 'waking', progress: { step: 'install-platform' } });
      const other = { requestedBy: 'test', lease: arn('gone') };
      await expect(acquire(twin, 'install-platform', other)).rejects.toMatchObject({ name: 'LeaseLost' });
    }));

  test('of many that start in the same moment, one wins', () =>
    live('', async (twin) => {
      const wanted = ['wake', 'sleep', 'bootstrap', 'install-platform'] as const;
      const results = await Promise.allSettled(wanted.map((workflow) => begin(twin, workflow)));
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    }));
});

describe('a step under the lease', () => {
  test('renews it, and says where the workflow is', () =>
    liveAwake('', async (twin) => {
      const leased = await begin(twin);
      const { lease } = twin.model.record;
      const before = twin.model.record.progress as { until: string };
      await seconds(60);
      await makeStep(twin.model, 'record-sizes')(leased);
      const after = twin.model.record.progress as { until: string; step: string };
      expect(Date.parse(after.until) - Date.parse(before.until)).toBeGreaterThanOrEqual(60_000);
      expect(after.step).toBe('record-sizes');
      expect(twin.model.record.lease).toEqual(lease);
    }));

  test('does nothing once the lease is lost', () =>
    liveAwake('', async (twin) => {
      const leased = await begin(twin);
      twin.model.stepFunctions.executions.get(arn('sleep'))!.status = 'ABORTED';
      await begin(twin, 'wake');
      twin.model.calls.all.length = 0;
      await expect(makeStep(twin.model, 'stop-pools')(leased)).rejects.toMatchObject({ name: 'LeaseLost' });
      expect(twin.model.calls.all.map(({ action }) => action)).toEqual(['Update']);
    }));

  test.each([
    ['a fault of the service', 'ServiceUnavailable', { $fault: 'server', $metadata: { httpStatusCode: 503 } }],
    ['throttling', 'RequestLimitExceeded', { $fault: 'client', $metadata: { httpStatusCode: 400 } }],
    ['a connection that broke', 'TimeoutError', {}],
  ])('turns %s into AwsUnavailable', (_what, name, fields) =>
    liveAwake('', async (twin) => {
      const leased = await begin(twin);
      const error = Object.assign(new Error('sorry'), { name, ...fields });
      twin.model.faults.add({ caller: 'stop-pools', action: 'DescribeInstances', with: () => error });
      await expect(makeStep(twin.model, 'stop-pools')(leased)).rejects.toMatchObject({
        name: 'AwsUnavailable',
        message: `${name}: sorry`,
      });
    }),
  );

  test('leaves other errors of AWS as they are', () =>
    liveAwake('', async (twin) => {
      const leased = await begin(twin);
      const denied = Object.assign(new Error('no'), { name: 'AccessDenied', $fault: 'client' });
      twin.model.faults.add({ caller: 'stop-pools', action: 'UpdateAutoScalingGroup', with: () => denied });
      await expect(makeStep(twin.model, 'stop-pools')(leased)).rejects.toMatchObject({ name: 'AccessDenied' });
    }));
});

describe('record-success', () => {
  test.each([
    ['wake', 'awake'],
    ['bootstrap', 'awake'],
    ['sleep', 'asleep'],
  ] as const)('of %s: the cluster is %s, the lease is free, the failure forgotten', (workflow, state) =>
    live('', async (twin) => {
      const leased = await begin(twin, workflow);
      twin.model.record.failure = { old: true };
      twin.model.record.sizes = { gpu: { min: 1, desired: 1, max: 1 } };
      const record = makeStep(twin.model, 'record-success');
      await expect(record(leased)).resolves.toEqual({ state });
      expect(twin.model.record).toMatchObject({ state });
      expect(twin.model.record).not.toHaveProperty('lease');
      expect(twin.model.record).not.toHaveProperty('failure');
      expect('sizes' in twin.model.record).toBe(workflow === 'sleep');
      // Called again, as Step Functions does when the first answer was lost.
      await expect(record(leased)).resolves.toEqual({ state });
    }),
  );

  test('a wake without some pool is awake-degraded', () =>
    live('', async (twin) => {
      const leased = await begin(twin, 'wake');
      const nodes = { missing: 1, degraded: [{ pool: 'gpu', reason: 'no capacity' }] };
      await makeStep(twin.model, 'record-success')({ ...leased, nodes });
      expect(twin.model.record).toMatchObject({ state: 'awake-degraded', degraded: nodes.degraded });
      const next = await begin(twin, 'wake', arn('next'));
      await makeStep(twin.model, 'record-success')({ ...next, nodes: { missing: 0, degraded: [] } });
      expect(twin.model.record.state).toBe('awake');
      expect(twin.model.record).not.toHaveProperty('degraded');
    }));

  test('a child leaves lease and state to its parent, and records the platform', () =>
    live('', async (twin) => {
      const parent = await begin(twin, 'wake');
      const child = { ...parent, execution: arn('install-platform'), workflow: 'install-platform' };
      await expect(makeStep(twin.model, 'record-success')(child)).resolves.toEqual({});
      expect(twin.model.record).toMatchObject({ state: 'waking', platformAt: expect.any(String) as string });
      expect(twin.model.record).toHaveProperty('lease');
    }));

  test('refuses to end a workflow that has lost its lease', () =>
    live('', async (twin) => {
      const leased = await begin(twin, 'sleep');
      twin.model.stepFunctions.executions.get(arn('sleep'))!.status = 'ABORTED';
      await begin(twin, 'wake');
      await expect(makeStep(twin.model, 'record-success')(leased)).rejects.toMatchObject({ name: 'LeaseLost' });
      expect(twin.model.record).toMatchObject({ state: 'waking', lease: { owner: arn('wake') } });
    }));
});

describe('record-failure', () => {
  const cause = JSON.stringify({ errorType: 'StillBillable', errorMessage: 'Not asleep: i-1', trace: ['at x'] });
  const failure = { Error: 'StillBillable', Cause: cause };

  test('records step, error and cause in plain words, and frees the lease', () =>
    live('', async (twin) => {
      const leased = await begin(twin);
      twin.model.stepFunctions.executions.get(arn('sleep'))!.history.push(
        { id: 1, type: 'TaskStateEntered', timestamp: new Date(), stateEnteredEventDetails: { name: 'VerifyAsleep' } },
        { id: 2, previousEventId: 1, type: 'LambdaFunctionScheduled', timestamp: new Date() },
        {
          id: 3,
          previousEventId: 2,
          type: 'LambdaFunctionFailed',
          timestamp: new Date(),
          lambdaFunctionFailedEventDetails: { error: 'StillBillable', cause },
        },
      );
      const record = makeStep(twin.model, 'record-failure');
      const failed = { Error: 'StillBillable', Cause: 'VerifyAsleep: Not asleep: i-1', step: 'VerifyAsleep' };
      await expect(record({ ...leased, failure })).resolves.toEqual(failed);
      expect(twin.model.record).toMatchObject({
        state: 'sleep-failed',
        failure: {
          workflow: 'sleep',
          step: 'VerifyAsleep',
          error: 'StillBillable',
          cause: 'Not asleep: i-1',
          execution: arn('sleep'),
          class: 'needs-a-person',
          log: '/aws/lambda/drowse-verify-asleep',
          runbook: 'docs/runbook.md#stillbillable',
        },
      });
      expect(twin.model.record).not.toHaveProperty('lease');
      await expect(record({ ...leased, failure })).resolves.toEqual(failed);
    }));

  test('knows the step by its function where the history does not link events', () =>
    live('', async (twin) => {
      const leased = await begin(twin);
      const resource = 'arn:aws:lambda:us-east-1:123456789012:function:drowse-stop-pools';
      twin.model.stepFunctions.executions.get(arn('sleep'))!.history.push(
        { id: 1, type: 'TaskStateEntered', timestamp: new Date(), stateEnteredEventDetails: { name: 'Other' } },
        {
          id: 2,
          type: 'TaskFailed',
          timestamp: new Date(),
          taskFailedEventDetails: { resourceType: 'lambda', resource, error: 'InstancesStillThere' },
        },
      );
      const stillThere = { Error: 'InstancesStillThere', Cause: 'plain words' };
      await makeStep(twin.model, 'record-failure')({ ...leased, failure: stillThere });
      expect(twin.model.record).toMatchObject({ failure: { step: 'StopPools', cause: 'plain words' } });
    }));

  test('names the workflow when the history does not tell the step', () =>
    live('', async (twin) => {
      const leased = await begin(twin);
      await makeStep(twin.model, 'record-failure')({ ...leased, failure });
      expect(twin.model.record).toMatchObject({ failure: { step: 'sleep' } });
    }));

  test("a child's failure is told in the child's words", () =>
    live('', async (twin) => {
      const leased = await begin(twin, 'wake');
      const child = JSON.stringify({ ExecutionArn: 'x', Error: 'CommandFailed', Cause: 'flux is not ready' });
      await makeStep(
        twin.model,
        'record-failure',
      )({ ...leased, failure: { Error: 'States.TaskFailed', Cause: child } });
      expect(twin.model.record).toMatchObject({
        state: 'wake-failed',
        failure: { error: 'CommandFailed', cause: 'flux is not ready' },
      });
    }));

  test('touches nothing once another workflow holds the lease', () =>
    live('', async (twin) => {
      const leased = await begin(twin);
      twin.model.stepFunctions.executions.get(arn('sleep'))!.status = 'ABORTED';
      await begin(twin, 'wake');
      await makeStep(twin.model, 'record-failure')({ ...leased, failure });
      expect(twin.model.record).toMatchObject({ state: 'waking', lease: { owner: arn('wake') } });
      expect(twin.model.record).not.toHaveProperty('failure');
    }));
});
