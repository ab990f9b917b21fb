import { endTheRest, findAwake, putToSleep } from '../../cli/destroy/sleep';
import type { Twin } from '../../sim/run';
import { expectAsleep } from '../statemachines/expectations';
import { live, liveAwake, THREE_POOLS } from '../lambdas/support';

function awsOf({ model }: Twin) {
  const { stepFunctions: sfn, ...clients } = model.clients('destroy');
  return { account: '123456789012', partition: 'aws', region: 'us-east-1', sfn, ...clients };
}

describe('before its stacks are deleted, a cluster', () => {
  test('that is awake is put to sleep by its own workflow, and what stands stopped is ended', () =>
    liveAwake(THREE_POOLS, async (twin) => {
      const aws = awsOf(twin);
      expect(await findAwake(aws, 'drowse')).toMatchObject({ instances: { length: 5 }, loadBalancer: true });
      expect(await putToSleep(aws, 'drowse')).toBe(true);
      expectAsleep(twin, 2);
      expect(await findAwake(aws, 'drowse')).toEqual({ instances: [], loadBalancer: false });
      await endTheRest(aws, 'drowse');
      expectAsleep(twin, 0);
      // Again changes nothing.
      await endTheRest(aws, 'drowse');
    }));

  test('that cannot sleep is left alone, with the reason', () =>
    liveAwake(THREE_POOLS, async (twin) => {
      twin.model.faults.add({ caller: 'stop-pools', service: 'lambda', with: () => new TypeError('broken') });
      await expect(putToSleep(awsOf(twin), 'drowse')).rejects.toMatchObject({
        message: expect.stringContaining('could not be put to sleep (TypeError): StopPools: broken') as string,
        remedy: expect.stringContaining('FORCE=1') as string,
      });
      expect(twin.model.ec2.in('running')).not.toEqual([]);
    }));

  test('without a workflow, and forced, loses its load balancer all the same', () =>
    liveAwake(THREE_POOLS, async (twin) => {
      const aws = awsOf(twin);
      expect(await putToSleep({ ...aws, region: 'eu-west-1' }, 'another')).toBe(false);
      twin.model.loadBalancing.times.delete = 20;
      await endTheRest(aws, 'drowse');
      expect(twin.model.loadBalancing.loadBalancers.size).toBe(0);
    }));

  test('that was never awake has nothing to end', () =>
    live('', async (twin) => {
      const aws = awsOf(twin);
      expect(await findAwake(aws, 'drowse')).toEqual({ instances: [], loadBalancer: false });
      await endTheRest(aws, 'drowse');
    }));
});
