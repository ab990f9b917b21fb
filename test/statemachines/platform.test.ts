import { TAG } from '../../core/config/names';
import { readTree } from '../../lib/platform/tree';
import type { Twin } from '../../sim/run';
import { runSchedules } from '../../sim/schedules';
import { seconds } from '../../sim/virtual-time';
import { live, liveAwake } from '../lambdas/support';
import { expectAwake } from './expectations';

const TWO_POOLS = `
pools:
  - { name: web, instanceTypes: [t3.large], min: 1, ingress: true }
  - { name: gpu, instanceTypes: [g4dn.xlarge], gpu: true, market: spot, min: 1 }
`;
const NO_CAPACITY = 'Could not launch Spot Instances. InsufficientInstanceCapacity - no Spot capacity';

/** What each Run Command of the platform was told to do without, in order. */
function reconciles({ model }: Twin): unknown[] {
  return model.calls
    .of('SendCommand')
    .filter(({ caller }) => caller === 'reconcile-platform')
    .map(({ input }) => (input as { Parameters: { Without: unknown[] } }).Parameters.Without[0]);
}

interface Installed {
  ready: string[];
  leftOut: string[];
}

/** What the last execution of install-platform left behind. */
function platformOf({ workflows }: Twin): Installed {
  return (workflows.of('install-platform').at(-1)!.output as { platform: Installed }).platform;
}

const LAYERS = readTree().layers.map(({ name }) => name);
/** The rest of the tree. */
const allBut = (names: readonly string[]) => ({
  ready: LAYERS.filter((name) => !names.includes(name)).sort(),
  leftOut: [...names].sort(),
});

describe('a wake without GPU capacity', () => {
  test('installs the rest of the platform, and all of it once the pool is there', () =>
    live(TWO_POOLS, async (twin) => {
      const gpu = twin.model.autoScaling.get('drowse-pool-gpu');
      gpu.noCapacity = NO_CAPACITY;
      const bootstrap = await twin.run('bootstrap');
      expect([bootstrap.status, twin.model.record.state]).toEqual(['SUCCEEDED', 'awake-degraded']);
      expect(reconciles(twin)).toEqual(['gpu']);
      expect(platformOf(twin)).toEqual(allBut(['apps']));

      // Nobody asks for it: who looks after the pools has the rest installed.
      await runSchedules(twin, 0.1);
      gpu.noCapacity = undefined;
      await seconds(1200);
      expectAwake(twin);
      expect(reconciles(twin)).toEqual(['gpu', 'none']);
      expect(platformOf(twin)).toEqual(allBut([]));
    }));

  test('does not fail where that pool is the only one', () =>
    live('', async (twin) => {
      twin.model.autoScaling.get('drowse-pool-gpu').noCapacity = NO_CAPACITY;
      const bootstrap = await twin.run('bootstrap');
      expect([bootstrap.status, twin.model.record.state]).toEqual(['SUCCEEDED', 'awake-degraded']);
      expect(reconciles(twin)).toEqual(['workers']);
      expect(platformOf(twin)).toEqual(
        allBut(['apps', 'certificates', 'issuers', 'monitoring', 'observability', 'scaling', 'ui']),
      );
    }));

  test('leaves out nothing any more where the nodes come while the platform is waited for', () =>
    liveAwake(TWO_POOLS, async (twin) => {
      const told = { ok: false, error: 'PlatformNotReady', message: '1 of 15 is not ready: ingress' };
      const answer = twin.model.ssm.documents.get('drowse-reconcile-platform')!;
      twin.model.ssm.documents.set('drowse-reconcile-platform', (parameters, id) =>
        parameters.Without === 'gpu' ? { seconds: 60, result: told } : answer(parameters, id),
      );
      const node = twin.model.ec2.in('running').find(({ tags }) => tags[TAG.pool] === 'gpu')!;
      node.tags[TAG.phase] = 'joining';
      const platform = twin.workflows.start('install-platform');
      await seconds(30);
      node.tags[TAG.phase] = 'ready';
      await platform.over;
      expect(platform.status).toBe('SUCCEEDED');
      expect(reconciles(twin)).toEqual(['gpu', 'none']);
    }));
});

describe('where nothing changed', () => {
  test('one Run Command sees that the platform is there; three are the bound', () =>
    liveAwake('', async (twin) => {
      expect((await twin.run('install-platform')).status).toBe('SUCCEEDED');
      expect(twin.model.calls.of('SendCommand')).toHaveLength(1);
    }));

  test('a wake after a sleep takes no more of them', () =>
    liveAwake('', async (twin) => {
      await twin.run('sleep');
      twin.model.calls.all.length = 0;
      expect((await twin.run('wake')).status).toBe('SUCCEEDED');
      expect(reconciles(twin)).toEqual(['none']);
    }));

  test('install-platform is over within 20 seconds of the wake', () =>
    liveAwake('', async (twin) => {
      await twin.run('sleep');
      await twin.run('wake');
      const { states } = twin.workflows.of('wake').at(-1)!;
      const { seconds: took } = states.find(({ name }) => name === 'InstallPlatform')!;
      expect(took).toBeGreaterThan(5);
      expect(took).toBeLessThan(20);
    }));
});
