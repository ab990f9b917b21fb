import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { Life } from './life';
import { poolData, seatData } from './nodes';
import { sharedTools, type Run, type Sandbox } from './sandbox';

const CASES = join(__dirname, '..', 'cases');

/** What a folder below `cases/` says in its case.json. */
const caseSchema = z.strictObject({
  /** What the case shows, in a sentence. */
  about: z.string(),
  /** Which node boots. */
  node: z.enum(['seat', 'seat-0-of-3', 'seat-1-of-3', 'seat-2-of-3', 'pool', 'gpu-pool', 'pool-of-3-seats']),
  /** `baked`: the image carries this bundle's install already. */
  image: z.enum(['bare', 'baked']).default('bare'),
  /** What happened before the boot that is looked at. */
  before: z.array(z.enum(['boot', 'replace', 'replace-slowly', 'reboot', 'lose-volume', 'seat-0'])).default([]),
  /** Facts that the fakes look at, set before that boot; null takes one away. */
  world: z.record(z.string(), z.string().nullable()).default({}),
  /** Files on the state volume, written before that boot; null removes one. */
  volume: z.record(z.string(), z.string().nullable()).default({}),
  /** The cloud's state, merged over what the life so far made of it. */
  cloud: z.record(z.string(), z.unknown()).default({}),
  expect: z.strictObject({
    /** Phases that the instance shows, in order. */
    phases: z.array(z.string()),
    /** Whether a failure's log reaches the bucket. */
    log: z.boolean().default(true),
    /** Files that must have exactly this content afterwards. */
    files: z.record(z.string(), z.string()).default({}),
    /** Beginnings of calls that must not have been made. */
    never: z.array(z.string()).default([]),
  }),
});

/** A join parameter as mint-join-token writes it. */
const GOOD_TOKEN = JSON.stringify({
  endpoint: 'api.drowse.drowse.internal:6443',
  token: 'abcdef.0123456789abcdef',
  caHash: `sha256:${'0'.repeat(64)}`,
  expiresAt: '2099-01-01T00:00:00Z',
});

export type Case = z.infer<typeof caseSchema>;

/** Reads a case; an unknown field is an error. */
export function readCase(name: string): Case {
  return caseSchema.parse(JSON.parse(readFileSync(join(CASES, name, 'case.json'), 'utf8')));
}

/** Node data by the name that cases use. */
export function dataOf(node: Case['node']): ReturnType<typeof seatData> {
  const seat = /^seat-(\d)-of-3$/.exec(node);
  if (seat !== null) return seatData(Number(seat[1]), 3);
  if (node === 'seat') return seatData();
  return poolData({ gpu: node === 'gpu-pool', seats: node === 'pool-of-3-seats' ? 3 : 1 });
}

/** Plays a case up to and including the boot that it is about. */
export async function play(one: Case): Promise<{ life: Life; run: Run; others: Life[] }> {
  const others: Life[] = [];
  let life = new Life(dataOf(one.node));
  if (one.before.includes('seat-0')) {
    const first = new Life(seatData(0, 3));
    bake(await first.replace(), 'seat');
    await first.boot({ playCurl: true });
    others.push(first);
    life = new Life(dataOf(one.node), first.state);
  }
  await life.replace();
  for (const step of one.before) {
    if (step === 'boot') {
      prepare(life.sandbox, one);
      if (one.node === 'pool')
        life.state.parameters['/drowse/drowse/join/general/i-0aaaaaaaaaaaaaaaa'] = {
          type: 'SecureString',
          value: GOOD_TOKEN,
        };
      await life.boot({ playCurl: true });
    } else if (step === 'replace' || step === 'replace-slowly')
      await life.replace(step === 'replace' ? {} : { freeAfter: 2 });
    else if (step === 'reboot') life.sandbox.reboot();
    else if (step === 'lose-volume') await loseVolume(life);
  }
  prepare(life.sandbox, one);
  applyFaults(life, one);
  life.sandbox.write('test/calls', '');
  return { life, run: await life.boot(), others };
}

function prepare(sandbox: Sandbox, one: Case): void {
  if (one.image === 'baked')
    bake(sandbox, one.node === 'gpu-pool' ? 'gpu' : one.node.includes('pool') ? 'pool' : 'seat');
  if (one.node === 'gpu-pool') sandbox.world('gpu');
  if (one.node.includes('pool')) sandbox.world('api-up');
  if (one.before.includes('seat-0')) sandbox.world('other-seats-up');
}

async function loseVolume(life: Life): Promise<void> {
  const volume = life.state.volumes.find((one) => one.tags['drowse:seat'] === String(life.data.seat?.index))!;
  await life.replace();
  volume.holder = undefined;
  for (const path of ['volume.json', 'authorities', 'etcd']) life.sandbox.removePath(`test/volume/${path}`);
  life.sandbox.removePath('test/world/volume-formatted');
}

function applyFaults(life: Life, one: Case): void {
  const set = (path: string, content: string | null): void =>
    content === null ? life.sandbox.removePath(path) : life.sandbox.write(path, content);
  for (const [name, content] of Object.entries(one.world)) set(`test/world/${name}`, content);
  for (const [path, content] of Object.entries(one.volume)) set(`test/volume/${path}`, content);
  Object.assign(life.state, one.cloud);
}

/** Compares the calls with the case's calls.txt; with UPDATE_CASES=1 the file is written instead, for a person to read. */
export function expectedCalls(name: string, calls: readonly string[]): { expected: string; found: string } {
  const file = join(CASES, name, 'calls.txt');
  const found = `${calls.map(normal).join('\n')}\n`;
  if (process.env.UPDATE_CASES === '1') writeFileSync(file, found);
  return { expected: existsSync(file) ? readFileSync(file, 'utf8') : '', found };
}

/** Options that say nothing about the case, and digests of random keys, go. */
function normal(call: string): string {
  return call
    .replace(/ (--quiet|--yes|--no-install-recommends|--allow-\S+|--option \S+)(?= )/g, '')
    .replace(/authorities-[0-9a-f]{16}/g, 'authorities-DIGEST')
    .replace(/(drowse\.dev\/applied=\S+) [0-9a-f]{64}/, '$1 DIGEST')
    .replace(/\d{4}-\d\d-\d\dT\d\d[:-]\d\d[:-]\d\dZ/g, 'TIME')
    .replace(/scratch\/\d+/g, 'scratch/RUN')
    .replace(/\/dev\/disk\/by-id\/nvme-Amazon_Elastic_Block_Store_vol0[a-c]{16}/, 'VOLUME');
}

/** What the install stage leaves on an image, as far as a boot looks at it. */
export function bake(sandbox: Sandbox, profile: 'seat' | 'pool' | 'gpu'): void {
  sandbox.write('var/lib/drowse/installed', `${profile} ${sharedTools().sha256}\n`);
  if (profile === 'gpu') sandbox.write('etc/containerd/conf.d/50-nvidia.toml', '');
}
