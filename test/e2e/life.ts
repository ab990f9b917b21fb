import type { Cluster } from './cluster';
import { forget, runLocal } from './run-local';

/** What the command that deployed the cluster showed of its first life: bootstrap, sleep and wake. */
export function life(cluster: Cluster): void {
  describe('a whole life on the embedded AWS', () => {
    it('runs bootstrap, sleep and wake to their ends', () => {
      expect(cluster.run.workflows.map(({ name, status }) => `${name} ${status}`)).toEqual([
        'bootstrap SUCCEEDED',
        'sleep SUCCEEDED',
        'wake SUCCEEDED',
      ]);
      expect(cluster.run.ok).toBe(true);
    });

    it('finds in AWS what each workflow promises', () => {
      const { checks } = cluster.run;
      expect(checks.filter(({ ok }) => !ok)).toEqual([]);
      const whatAfter = (after: string) => checks.filter((check) => check.after === after).map(({ what }) => what);
      expect(whatAfter('sleep')).toEqual([
        'instances that are not terminated',
        'load balancers',
        'Elastic IP still allocated',
        'state volumes present',
        'join tokens left',
        'state of the cluster',
      ]);
      expect(whatAfter('wake')).toEqual(whatAfter('bootstrap'));
      expect(whatAfter('wake')).toContain('platform installed after the nodes were ready');
    });

    it('keeps the Elastic IP', () => {
      const { beforeSleep, afterSleep, afterWake } = cluster.run.elasticIp;
      expect(beforeSleep).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
      expect([afterSleep, afterWake]).toEqual([beforeSleep, beforeSleep]);
    });

    it('passes through the states in the order of the design', () => {
      const entered = (workflow: string) =>
        cluster.run.workflows.find(({ name }) => name === workflow)!.states.map(({ name }) => name);
      const sleep = entered('sleep');
      const order = [
        'CheckTrigger',
        'AcquireLease',
        'RecordSizes',
        'DrainNodes',
        'SnapshotEtcd',
        'VerifySnapshot',
        'StopPools',
        'DeleteStaleNodes',
        'StopSeats',
      ];
      expect(sleep.slice(0, order.length)).toEqual(order);
      expect(sleep.at(-1)).toBe('RecordSuccess');
      const wake = entered('wake');
      expect(wake.indexOf('InstallPlatform')).toBeGreaterThan(wake.indexOf('WaitForNodes'));
    });

    it('writes the same record to local/out/run.json', () => {
      expect(cluster.runFile).toEqual(cluster.run);
    });

    it('prints lines that drive a run that was left up', () => {
      const { answers } = cluster;
      expect(answers).toMatchObject([{ state: 'awake' }, { state: 'awake', message: 'The cluster is awake' }]);
      expect(answers[0]!.nodes).toHaveLength(2);
    });

    it('refuses to leave up a second one', async () => {
      const second = runLocal(['up', '--keep']);
      const { code, stderr } = await second.ended;
      forget(second);
      expect(stderr).toContain(`An embedded AWS was left up already, at ${cluster.endpoint}`);
      expect(code).toBe(1);
    });
  });
}
