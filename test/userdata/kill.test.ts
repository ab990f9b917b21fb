import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { newCloudState } from './support/cloud-state';
import { bake } from './support/case';
import { killEverywhere, type Victim } from './support/kill';
import { Life } from './support/life';
import { poolData, seatData } from './support/nodes';
import { sharedTools } from './support/sandbox';
import type { NodeData } from '../../lib/node';

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
    life.state.parameters[`/drowse/drowse/join/${data.pool!.name}/${life.cloud.self}`] = {
      type: 'SecureString',
      value: TOKEN,
    };
  }
  return life;
}

/** The install stage, as image baking runs it. */
const install = (profile: 'seat' | 'gpu'): Victim => ({
  name: `install of a ${profile}`,
  make: () => node(profile === 'seat' ? seatData() : poolData({ gpu: true })),
  run: (life, options) => life.sandbox.run(['/opt/drowse/node.sh', 'install', profile, sharedTools().sha256], options),
});

/** Seats that came up before; each lives once, for all who follow it. */
const before: Partial<Record<string, Promise<Life>>> = {};
afterAll(async () => {
  for (const life of Object.values(before)) await (await life)?.end();
});

function seatBefore(data: NodeData): Promise<Life> {
  const make = async (): Promise<Life> => {
    const life = await node(data);
    bake(life.sandbox, 'seat');
    expect((await life.boot({ quiet: true })).code).toBe(0);
    return life;
  };
  return (before[data.endpoint.seats.length] ??= make());
}

/** The boot stage on an image that carries the install. */
function boot(name: string, data: NodeData, profile: 'seat' | 'gpu' | 'pool', follows?: 'itself' | 'seat 0'): Victim {
  return {
    name,
    async make() {
      const life = await node(data);
      bake(life.sandbox, profile);
      if (follows === 'itself') {
        const old = await seatBefore(data);
        cpSync(join(old.sandbox.root, 'test/volume'), join(life.sandbox.root, 'test/volume'), { recursive: true });
        life.sandbox.world('volume-formatted');
        Object.assign(life.state.parameters, old.state.parameters);
        Object.assign(life.state.objects, old.state.objects);
      } else if (follows === 'seat 0') {
        const other = await seatBefore(seatData(0, 3));
        life.sandbox.world('other-seats-up');
        Object.assign(life.state.parameters, other.state.parameters);
        Object.assign(life.state.objects, other.state.objects);
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
  boot('wake of a seat', seatData(), 'seat', 'itself'),
  boot('first boot of a second seat', seatData(1, 3), 'seat', 'seat 0'),
  boot('boot of a GPU node', poolData({ gpu: true, seats: 3 }), 'gpu'),
])('$name, killed after each external command, ends like an unbroken one', async (victim) => {
  expect((await killEverywhere(victim)).problems).toEqual([]);
});
