import { bake } from './support/case';
import { Life } from './support/life';
import { seatData } from './support/nodes';
import type { CloudState } from './support/cloud-state';
import type { Run } from './support/sandbox';

let life: Life;
afterEach(async () => {
  const { problems } = life;
  await life.end();
  expect(problems).toEqual([]);
});

const READY = ['booting', 'runtime', 'control-plane', 'ready'];
/** Requests before the first for credentials: token, identity and MAC, interface and subnet. */
const FACTS = 6;
/** What the console output of the instance shows of a node that could tell nobody else. */
const CONSOLE = 'drowse: failed:metadata-unreachable: ';

/** Boots a seat while its metadata service is in this state. */
async function boot(
  metadata: Partial<CloudState>,
  environment: Record<string, string> = { SLEEP_FACTOR: '1' },
): Promise<Run> {
  life = new Life(seatData());
  const sandbox = await life.replace();
  bake(sandbox, 'seat');
  Object.assign(life.state, metadata);
  sandbox.environment = environment;
  return life.boot();
}

test('a metadata service that is slow to come up is waited for', async () => {
  expect(await boot({ metadataDown: 5 })).toMatchObject({ code: 0 });
  expect(life.state.phases).toEqual(READY);
});

test.each([
  ['from the start', 0],
  ['after the token', 1],
  ['before it has given credentials', FACTS],
])(
  'a metadata service that is absent %s ends the boot; without an identity only the console can say so',
  async (_when, metadataUp) => {
    const run = await boot({ metadataUp, metadataDown: Infinity });
    expect(run).toMatchObject({ code: 1, stderr: expect.stringContaining('fatal [metadata-unreachable]') as string });
    expect(life.sandbox.read('dev/console')).toBe(`${CONSOLE}${/metadata-unreachable\] (.*)/.exec(run.stderr)![1]!}\n`);
    expect({ phases: life.state.phases, objects: life.state.objects, holder: life.state.volumes[0]!.holder }).toEqual({
      phases: [],
      objects: {},
      holder: undefined,
    });
    expect(life.sandbox.has('test/world/volume-formatted')).toBe(false);
  },
);

test('a role that the instance gets only now is waited for', async () => {
  expect(await boot({ metadataUp: FACTS, metadataDown: 3 })).toMatchObject({ code: 0 });
  expect(life.state.phases).toEqual(READY);
});

test('credentials that cannot be renewed midway serve on for as long as AWS takes them', async () => {
  const held = { holder: 'i-0999', freeAfter: 3 };
  life = new Life(seatData());
  const sandbox = await life.replace();
  bake(sandbox, 'seat');
  Object.assign(life.state.volumes[0]!, held);
  Object.assign(life.state, { metadataUp: FACTS + 2, metadataDown: Infinity });
  sandbox.environment = { BASH_ENV: '/test-tools/clock-sleep.sh' };
  const run = await life.boot();
  expect(run).toMatchObject({ code: 0, stderr: expect.stringContaining('gives no new credentials') as string });
  expect(life.state.phases).toEqual(READY);
});
