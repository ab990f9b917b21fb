import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeData } from '../../../lib/node';
import { Cloud } from './cloud';
import { newCloudState, type CloudState, type Instance } from './cloud-state';
import { Sandbox, type Run, type RunOptions } from './sandbox';

/** Names of instances, in the order in which they live. */
const LETTERS = ['a', 'b', 'c', 'd', 'e', 'f'];

/** A moment of a life, from which it can go on as often as one likes. */
export interface Moment {
  readonly data: NodeData;
  readonly state: CloudState;
  readonly self: string;
  readonly root: string;
}

/** One seat's or pool node's life over several instances: what sleep, wake, replacement and reboot make of it. */
export class Life {
  readonly sandboxes: Sandbox[] = [];
  private readonly clouds: Cloud[] = [];
  constructor(
    readonly data: NodeData,
    readonly state: CloudState = newCloudState(),
  ) {
    const seat = data.seat?.index;
    if (seat !== undefined && !state.volumes.some((volume) => volume.tags['drowse:seat'] === String(seat))) {
      state.volumes.push({
        id: `vol-0${LETTERS[seat]!.repeat(16)}`,
        zone: 'us-east-1a',
        tags: { 'drowse:cluster': 'drowse', 'drowse:seat': String(seat) },
        holder: undefined,
      });
    }
  }

  /** The life as it is now; whoever takes it goes on from it, or removes its root. */
  moment(): Moment {
    const { objects, ...state } = this.state;
    return {
      data: this.data,
      state: { ...structuredClone(state), objects: { ...objects } },
      self: this.cloud.self,
      root: this.sandbox.copy(),
    };
  }

  /** Goes on from a moment; its root becomes this life's own. */
  static async from({ data, state, self, root }: Moment): Promise<Life> {
    const life = new Life(data, state);
    const cloud = await Cloud.start(state, self);
    life.clouds.push(cloud);
    life.sandboxes.push(new Sandbox(cloud, { root }));
    return life;
  }

  get sandbox(): Sandbox {
    return this.sandboxes.at(-1)!;
  }

  get cloud(): Cloud {
    return this.clouds.at(-1)!;
  }

  /** A new instance takes the place of the last one, which is gone; the state volume goes with the place. */
  async replace(options: { freeAfter?: number } = {}): Promise<Sandbox> {
    const before = this.sandboxes.at(-1);
    const letter = LETTERS[this.sandboxes.length + (this.data.seat?.index ?? 0) * 2]!;
    const id = `i-0${letter.repeat(16)}`;
    if (before === undefined) {
      const [first] = Object.values(this.state.instances);
      if (first !== undefined && this.state.phases.length === 0) {
        this.state.instances = {};
        this.state.interfaces = [];
      }
    } else {
      this.letGo(this.cloud.instance, options.freeAfter);
    }
    const instance: Instance = {
      id,
      type: 't3.medium',
      zone: 'us-east-1a',
      privateIp: `10.0.0.${String(70 + LETTERS.indexOf(letter))}`,
      mac: '02:00:00:00:00:01',
      interfaceId: `eni-0${letter.repeat(16)}`,
      subnet: 'subnet-0a',
      state: 'running',
      tags: { 'drowse:cluster': 'drowse' },
    };
    this.state.instances[id] = instance;
    this.state.interfaces.push({ id: instance.interfaceId, subnet: instance.subnet, addresses: [instance.privateIp] });
    const cloud = await Cloud.start(this.state, id);
    this.clouds.push(cloud);
    const sandbox = new Sandbox(cloud);
    sandbox.write('etc/drowse/node.json', JSON.stringify(this.data));
    if (before !== undefined) {
      cpSync(join(before.root, 'test/volume'), join(sandbox.root, 'test/volume'), { recursive: true });
      if (before.has('test/world/volume-formatted')) sandbox.world('volume-formatted');
    }
    this.sandboxes.push(sandbox);
    return sandbox;
  }

  private letGo(old: Instance, freeAfter?: number): void {
    old.state = 'terminated';
    for (const volume of this.state.volumes.filter((one) => one.holder === old.id)) {
      if (freeAfter === undefined) volume.holder = undefined;
      else volume.freeAfter = freeAfter;
    }
    const own = this.state.interfaces.find((one) => one.id === old.interfaceId);
    if (freeAfter === undefined) this.state.interfaces = this.state.interfaces.filter((one) => one !== own);
    else if (own !== undefined) own.freeAfter = freeAfter;
  }

  boot(options?: RunOptions): Promise<Run> {
    this.state.phases.length = 0;
    return this.sandbox.node(options);
  }

  /** Complaints of the cloud: unsigned or unknown requests. A test must end with none. */
  get problems(): string[] {
    return this.clouds.flatMap((cloud) => cloud.problems);
  }

  async end(): Promise<void> {
    await Promise.all(this.clouds.map((cloud) => cloud.stop()));
    for (const sandbox of this.sandboxes) sandbox.remove();
  }
}

const originals: Promise<Life>[] = [];
afterAll(async () => {
  for (const life of originals) await (await life).end();
});

/** Lives it once up to here; each call gives a life of its own that goes on from there. */
export function startingFrom(make: () => Promise<Life>): () => Promise<Life> {
  let original: Promise<Life> | undefined;
  return async () => {
    if (original === undefined) {
      original = make();
      originals.push(original);
    }
    return Life.from((await original).moment());
  };
}

/** A file's lives: after each test all on the list are ended, and the test fails if one of them saw a problem. */
export function livesOfTests(): Life[] {
  const lives: Life[] = [];
  afterEach(async () => {
    const problems = lives.flatMap((life) => life.problems);
    await Promise.all(lives.splice(0).map((life) => life.end()));
    expect(problems).toEqual([]);
  });
  return lives;
}
