import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderUserData } from '../../lib/node';
import { Cloud } from './support/cloud';
import { newCloudState, type CloudState } from './support/cloud-state';
import { poolData } from './support/nodes';
import { Sandbox, sharedTools, type Run } from './support/sandbox';

let cloud: Cloud;
let sandbox: Sandbox;
afterEach(async () => {
  await cloud.stop();
  sandbox.remove();
});

/** Runs the user data that a stack would give the instance, on an image that has nothing of ours. */
async function firstBoot(
  change: (bundle: Buffer) => Buffer | undefined,
  metadata: Partial<CloudState> = {},
): Promise<Run> {
  const { folder, sha256 } = sharedTools();
  const state = { ...newCloudState(), ...metadata };
  cloud = await Cloud.start(state);
  sandbox = new Sandbox(cloud, { bare: true });
  for (const path of ['etc/drowse', 'opt/drowse']) sandbox.removePath(path);
  sandbox.write('var/log/cloud-init-output.log', 'a line of cloud-init\n');
  const bundle = change(readFileSync(join(folder, 'bundles/node', `${sha256}.tar.gz`)));
  if (bundle !== undefined) state.objects[`node/${sha256}.tar.gz`] = bundle;
  sandbox.write('user-data', renderUserData({ ...poolData(), domain: state.domain }, { sha256 }));
  return sandbox.run(['/user-data']);
}

test('fetches the bundle, checks it, unpacks it, and starts the node', async () => {
  const run = await firstBoot((bundle) => bundle);
  expect({ code: run.code, log: run.stderr }).toEqual({ code: 0, log: '' });
  expect(cloud.problems).toEqual([]);
  expect(JSON.parse(sandbox.read('etc/drowse/node.json'))).toEqual(poolData());
  expect(sandbox.read('etc/drowse/bundle')).toBe(`${sharedTools().sha256}\n`);
  expect(sandbox.has('etc/systemd/system/drowse-node.service')).toBe(true);
  expect(sandbox.calls.slice(1)).toEqual([
    'systemctl daemon-reload',
    'systemctl enable drowse-node.service drowse-registry.service drowse-logs.timer drowse-flux.timer drowse-images.timer',
    'systemctl start drowse-registry.service drowse-logs.timer drowse-flux.timer drowse-images.timer',
    'systemctl start --no-block drowse-node.service',
  ]);
});

test('a metadata service that is slow to answer is asked again', async () => {
  expect((await firstBoot((bundle) => bundle, { metadataDown: 1 })).code).toBe(0);
  expect(sandbox.calls).toContain('systemctl start --no-block drowse-node.service');
});

test.each([
  ['a token', 0],
  ['an identity', 1],
])(
  'without a metadata service that gives %s it says so on the console, and changes nothing',
  async (_what, metadataUp) => {
    const run = await firstBoot((bundle) => bundle, { metadataUp, metadataDown: Infinity });
    expect(run.code).not.toBe(0);
    expect(run.stdout).toBe('failed:metadata-unreachable\n');
    expect(Object.keys(cloud.state.objects)).toEqual([`node/${sharedTools().sha256}.tar.gz`]);
    expect(cloud.instance.tags).not.toHaveProperty('drowse:phase');
    expect(sandbox.has('opt/drowse')).toBe(false);
  },
);

test.each<[what: string, reason: string, bundle: Buffer | undefined, domain: string]>([
  ['a bundle that was changed', 'digest-mismatch', Buffer.from('something else'), 'amazonaws.com'],
  ['no bundle', 'bundle-unreachable', undefined, 'amazonaws.com'],
  ['no bundle, where endpoints have another domain,', 'bundle-unreachable', undefined, 'amazonaws.eu'],
])('%s ends in failed:%s, with the log in the bucket and nothing unpacked', async (_what, reason, bundle, domain) => {
  const run = await firstBoot(() => bundle, { domain });
  expect(run.code).not.toBe(0);
  expect(cloud.problems).toEqual([]);
  expect(cloud.instance.tags).toMatchObject({
    'drowse:phase': `failed:${reason}`,
    'drowse:phase-at': expect.stringMatching(/Z$/) as string,
  });
  expect(cloud.state.objects[`logs/${cloud.arn}/user-data.log`]!.toString()).toBe('a line of cloud-init\n');
  expect(sandbox.has('opt/drowse')).toBe(false);
});
