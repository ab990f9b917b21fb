import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { newCloudState } from './support/cloud-state';
import { bake } from './support/case';
import { killEverywhere, type Victim } from './support/kill';
import { Life } from './support/life';
import { poolData, seatData } from './support/nodes';
import { sharedTools } from './support/sandbox';
import type { NodeData } from '../../lib/node';

jest.setTimeout(300_000);

const TOKEN = JSON.stringify({
  endpoint: 'api.drowse.drowse.internal:6443',
  token: 'abcdef.0123456789abcdef',
  caHash: `sha256:${'0'.repeat(64)}`,
  expiresAt: '2099-01-01T00:00:00Z',
});

/** A node in a cloud that has whatever its boot needs, without anything left to chance. */
async function node(data: NodeData): Promise<Life> {
  const life = new Life(data, newCloudState());
  await life.replace();
  life.sandbox.world('no-chance');
  if (data.role === 'pool') {
    life.sandbox.world('api-up');
    life.sandbox.world('gpu');
    life.state.parameters[`/drowse/drowse/join/${data.pool!.name}`] = { type: 'SecureString', value: TOKEN };
  }
  return life;
}

/** The install stage, as image baking runs it. */
const install = (profile: 'seat' | 'gpu'): Victim => ({
  name: `install of a ${profile}`,
  make: () => node(profile === 'seat' ? seatData() : poolData({ gpu: true })),
  run: (life, options) => life.sandbox.run(['/opt/drowse/node.sh', 'install', profile, sharedTools().sha256], options),
});

/** The seat whose volume the wake starts from; it lives once, for all of its successors. */
let first: Promise<Life> | undefined;
afterAll(async () => (await first)?.end());

/** The boot stage on an image that carries the install, optionally of an instance that follows another. */
function boot(name: string, data: NodeData, profile: 'seat' | 'gpu' | 'pool', followsAnother = false): Victim {
  return {
    name,
    async make() {
      const life = await node(data);
      bake(life.sandbox, profile);
      if (followsAnother) {
        first ??= node(data).then(async (before) => {
          await before.boot();
          return before;
        });
        const before = await first;
        cpSync(join(before.sandbox.root, 'test/volume'), join(life.sandbox.root, 'test/volume'), { recursive: true });
        life.sandbox.world('volume-formatted');
        Object.assign(life.state.parameters, before.state.parameters);
        Object.assign(life.state.objects, before.state.objects);
      }
      return life;
    },
    run: (life, options) => life.sandbox.node(options),
  };
}

test.each([
  install('seat'),
  install('gpu'),
  boot('first boot of a seat', seatData(), 'seat'),
  boot('wake of a seat', seatData(), 'seat', true),
  boot('boot of a GPU node', poolData({ gpu: true, seats: 3 }), 'gpu'),
])('$name, killed after each external command, ends like an unbroken one', async (victim) => {
  const report = await killEverywhere(victim);
  process.stdout.write(
    `${victim.name}: ${String(report.commands)} external commands, ${String(report.states)} states to crash in, run again from each, ${String(report.killed)} of them made by SIGKILL as well\n`,
  );
  expect(report.problems).toEqual([]);
});
