import { readStates } from '../../lambdas/shared/workflows/history';
import type { Twin } from '../../sim/run';
import { expectAsleep, expectAwake } from '../statemachines/expectations';
import { live } from '../lambdas/support';

const POOLS = 10;
const NODES = 10;
/** State of an execution, its input included (bytes); source: quotas of Step Functions. */
const LARGEST_STATE = 256 * 1024;
/** Instances that one Run Command may name; source: SendCommand in the Systems Manager API reference. */
const COMMAND_TARGETS = 50;

/** Pools of so many nodes each; the first carries the Elastic IP, every third stops its nodes at sleep. */
function cluster(pools: number, nodes: number, more = ''): string {
  const rows = Array.from({ length: pools }, (_, n) => {
    const options = [n === 0 ? ', ingress: true' : '', n % 3 === 1 ? ', sleep: stop' : ''].join('');
    const size = `desired: ${String(nodes)}, max: ${String(2 * nodes)}`;
    return `  - { name: pool-${String(n)}, instanceTypes: [m7i.large], ${size}${options} }`;
  });
  return `${more}pools:\n${rows.join('\n')}\n`;
}

/** Transitions of a sleep and the wake after it, joins left out: there is one for each node, whatever the cluster. */
async function pairOf(twin: Twin): Promise<{ pair: number; joins: number }> {
  const known = new Set(twin.workflows.all());
  for (const workflow of ['sleep', 'wake']) {
    const { status, cause } = await twin.run(workflow);
    expect([workflow, status, cause]).toEqual([workflow, 'SUCCEEDED', undefined]);
  }
  const own = twin.workflows.all().filter((one) => !known.has(one));
  const sum = (joins: boolean) =>
    own
      .filter(({ workflow }) => (workflow === 'join-node') === joins)
      .reduce((total, { transitions }) => total + transitions, 0);
  return { pair: sum(false), joins: sum(true) };
}

describe('100 nodes in 10 pools', () => {
  test('sleep and wake in batches: at most three times the transitions of one pool, and no large state', async () => {
    const one = await live(cluster(1, 1), async (twin) => {
      await twin.run('bootstrap');
      return pairOf(twin);
    });
    await live(cluster(POOLS, NODES), async (twin) => {
      const { model, workflows } = twin;
      model.autoScaling.pageSize = 4;
      await twin.run('bootstrap');
      expectAwake(twin);
      model.calls.all.length = 0;
      workflows.invocations.length = 0;
      const { pair, joins } = await pairOf(twin);
      expectAwake(twin);
      expect(pair).toBeGreaterThan(60);
      expect(pair).toBeLessThanOrEqual(3 * one.pair);
      // Seventy nodes come back by a launch; each of them has an execution of its own, and is billed for it.
      const launched = workflows.of('join-node').slice(-70);
      expect(joins / launched.length).toBeLessThanOrEqual(1.5 * one.joins);

      expect(Math.max(...workflows.invocations.map(({ bytes }) => bytes))).toBeLessThan(LARGEST_STATE / 8);
      const targets = model.calls
        .of('SendCommand')
        .map(({ input }) => (input as { InstanceIds: string[] }).InstanceIds);
      expect(Math.max(...targets.map(({ length }) => length))).toBeLessThanOrEqual(COMMAND_TARGETS);
      // Nodes that were stopped get their tokens by pool, not by node.
      const documents = model.calls.of('SendCommand').filter(({ caller }) => caller === 'mint-join-tokens');
      expect(documents).toHaveLength(3);
      // More instances and groups than fit into one answer.
      const pages = (action: string) =>
        model.calls.of(action).map(({ input }) => (input as { NextToken?: string }).NextToken);
      for (const action of ['DescribeInstances', 'DescribeAutoScalingGroups']) {
        expect([action, pages(action).some((token) => token !== undefined)]).toEqual([action, true]);
      }
      // What record-durations reads is all there in a page or two.
      const [bootstrap] = workflows.of('bootstrap');
      const { states } = await readStates(model.clients('x').stepFunctions, bootstrap!.arn, { pages: 2 });
      expect(states.map(({ name }) => name)).toContain('RecordSuccess');
      expect(JSON.stringify(model.record).length).toBeLessThan(16_000);
    });
  });

  test('a pool of more nodes than one call may stop beside its group sleeps and wakes', () =>
    live(
      `
pools:
  - { name: web, instanceTypes: [t3.large], ingress: true }
  - { name: batch, instanceTypes: [m7i.large], desired: 45, max: 60, sleep: stop }
`,
      async (twin) => {
        await twin.run('bootstrap');
        await pairOf(twin);
        expectAwake(twin);
        const moved = twin.model.calls
          .of('EnterStandby')
          .map(({ input }) => (input as { InstanceIds: string[] }).InstanceIds);
        expect(moved.map(({ length }) => length)).toEqual([19, 19, 7]);
        await twin.run('sleep');
        expectAsleep(twin, 45);
      },
    ));
});
