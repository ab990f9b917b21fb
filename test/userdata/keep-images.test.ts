import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IMAGES_FILE } from '../../lib/platform/build';
import { newCloudState } from './support/cloud-state';
import { Life, livesOfTests } from './support/life';
import { seatData } from './support/nodes';
import { addFakes } from './support/sandbox';

const LIST = 'images/list.json';
/** What kubeadm and install.json name here, which are no image of a test. */
const OWN = 'registry.k8s.io/';

const lives = livesOfTests();
beforeAll(() => {
  addFakes('fakes-platform');
});

async function seat(...wanted: string[]): Promise<Life> {
  const life = new Life(seatData(), newCloudState());
  lives.push(life);
  await life.replace();
  life.sandbox.world('api-up');
  life.sandbox.world('scenario.json', JSON.stringify({ fluxRunsOn: life.cloud.self }));
  want(life, ...wanted);
  return life;
}

/** A deployment says which images run, in the archive of the tree. */
function want(life: Life, ...images: string[]): void {
  const folder = mkdtempSync(join(tmpdir(), 'drowse-tree-'));
  mkdirSync(join(folder, 'platform/bootstrap'), { recursive: true });
  writeFileSync(join(folder, IMAGES_FILE), images.map((image) => `${image}\n`).join(''));
  execFileSync('tar', ['-czf', join(folder, 'tree.tar.gz'), '-C', folder, 'platform']);
  const archive = readFileSync(join(folder, 'tree.tar.gz'));
  rmSync(folder, { recursive: true });
  const tree = createHash('sha256').update(archive).digest('hex');
  life.state.objects[`platform/${tree}.tar.gz`] = archive;
  life.state.parameters['/drowse/drowse/platform'] = {
    type: 'String',
    value: JSON.stringify({ tree, cluster: { kind: 'List', items: [] } }),
  };
}

/** Puts content into the registries of the test; gives what a manifest says of it. */
function content(
  life: Life,
  mediaType: string,
  body: string | object,
): { mediaType: string; digest: string; size: number } {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`;
  life.sandbox.write(`test/registry/blobs/${digest}`, text);
  return { mediaType, digest, size: Buffer.byteLength(text) };
}

const INDEX = 'application/vnd.oci.image.index.v1+json';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';

/** Publishes an image for two architectures; gives the digests of what this machine needs of it, and its index' own first. */
function publish(life: Life, image: string, layers: readonly (string | { size: number })[]): string[] {
  const config = content(life, 'application/vnd.oci.image.config.v1+json', { of: image });
  const described = layers.map((layer) =>
    typeof layer === 'string' ? content(life, LAYER, layer) : { ...content(life, LAYER, 'large'), ...layer },
  );
  const manifest = content(life, MANIFEST, { schemaVersion: 2, mediaType: MANIFEST, config, layers: described });
  const other = content(life, MANIFEST, { schemaVersion: 2, config, layers: [], of: 'another machine' });
  const platform = (architecture: string) => ({ platform: { os: 'linux', architecture } });
  const [own, foreign] = process.arch === 'arm64' ? ['arm64', 'amd64'] : ['amd64', 'arm64'];
  const manifests = [
    { ...other, ...platform(foreign) },
    { ...manifest, ...platform(own) },
  ];
  const index = content(life, INDEX, { schemaVersion: 2, mediaType: INDEX, manifests });
  life.sandbox.write(`test/registry/images/${image}`, life.sandbox.read(`test/registry/blobs/${index.digest}`));
  return [index, manifest, config, ...described].map(({ digest }) => digest);
}

interface Listed {
  digest?: string;
  mediaType?: string;
  size?: number;
  blobs: string[];
}

const listed = (life: Life): Record<string, Listed> =>
  (JSON.parse(life.state.objects[LIST]!.toString()) as { images: Record<string, Listed> }).images;
const stored = (life: Life): string[] =>
  Object.keys(life.state.objects)
    .filter((key) => key.startsWith('images/sha256/'))
    .map((key) => key.replace('images/sha256/', 'sha256:'))
    .sort();

/** One run of the timer: what it asked registries for but Kubernetes' own images, and what it wrote. */
async function keep(life: Life): Promise<{ fetched: string[]; written: string[]; log: string }> {
  const before = life.sandbox.calls.length;
  const { code, stderr } = await life.sandbox.run(['/opt/drowse/keep-images.sh'], { playCurl: true });
  expect(code === 0 ? '' : stderr).toBe('');
  const calls = life.sandbox.calls.slice(before);
  const fetched = calls.flatMap((call) => /^ctr content \S+ (.*)$/.exec(call)?.[1] ?? []);
  return {
    fetched: fetched.filter((what) => !what.startsWith(OWN)),
    written: calls.filter((call) => / (PUT|DELETE) /.test(call)),
    log: stderr,
  };
}

test('what the cluster runs is fetched once, for this machine alone, and is on the list with the digest of its tag', async () => {
  const life = await seat('quay.io/a/b:v1', 'ghcr.io/c:2');
  const ab = publish(life, 'quay.io/a/b:v1', ['base', 'b']);
  const c = publish(life, 'ghcr.io/c:2', ['base', 'c']);
  const first = await keep(life);
  expect(first.fetched).toContain(`quay.io/a/b:v1 ${ab[4]!}`);
  expect(listed(life)).toEqual({
    'quay.io/a/b:v1': { digest: ab[0], mediaType: INDEX, size: expect.any(Number) as number, blobs: [...ab].sort() },
    'ghcr.io/c:2': { digest: c[0], mediaType: INDEX, size: expect.any(Number) as number, blobs: [...c].sort() },
  });
  // The layer that both have is there once, and so was fetched once.
  expect(stored(life)).toEqual([...new Set([...ab, ...c])].sort());
  expect(first.fetched.filter((what) => what.endsWith(ab[3]!))).toHaveLength(1);
  for (const digest of stored(life)) {
    const body = life.state.objects[digest.replace('sha256:', 'images/sha256/')]!;
    expect(`sha256:${createHash('sha256').update(body).digest('hex')}`).toBe(digest);
  }
  expect(await keep(life)).toMatchObject({ fetched: [], written: [] });
});

test('Kubernetes’ own images are wanted, too; what is in ECR stays there', async () => {
  const life = await seat('123456789012.dkr.ecr.us-east-1.amazonaws.com/team/app:1');
  const { log } = await keep(life);
  expect(log).toContain('registry.k8s.io/pause:3.10.2 is not in the bucket yet');
  expect(log).toContain('registry.k8s.io/kube-apiserver:v1.36.3 is not in the bucket yet');
  expect(log).not.toContain('dkr.ecr');
});

test('what nothing runs any more goes, but for content that others use', async () => {
  const life = await seat('quay.io/a/b:v1', 'ghcr.io/c:2');
  const [ab, c] = [publish(life, 'quay.io/a/b:v1', ['base', 'b']), publish(life, 'ghcr.io/c:2', ['base', 'c'])];
  await keep(life);
  want(life, 'ghcr.io/c:2');
  const { written } = await keep(life);
  expect(stored(life)).toEqual([...c].sort());
  expect(written.filter((call) => call.includes('DELETE'))).toHaveLength(new Set(ab).size - 1);
  // Nodes that have the old list never see the new one without its content: the list comes first.
  expect(written[0]).toBe(`aws s3 PUT ${LIST}`);
});

test('content that is gone is fetched again; what lies there without an image goes', async () => {
  const life = await seat('quay.io/a/b:v1');
  const ab = publish(life, 'quay.io/a/b:v1', ['base', 'b']);
  await keep(life);
  const { [`images/sha256/${ab[3]!.slice(7)}`]: _gone, ...rest } = life.state.objects;
  life.state.objects = { ...rest, [`images/sha256/${'0'.repeat(64)}`]: Buffer.from('of an upload that was cut off') };
  expect((await keep(life)).fetched).toContain(`quay.io/a/b:v1 ${ab[3]!}`);
  expect(stored(life)).toEqual([...ab].sort());
});

test('content without its digest is not taken, and the other images are', async () => {
  const life = await seat('quay.io/a/b:v1', 'ghcr.io/c:2');
  const [ab] = [publish(life, 'quay.io/a/b:v1', ['base', 'b']), publish(life, 'ghcr.io/c:2', ['base', 'c'])];
  life.sandbox.write(`test/registry/blobs/${ab[4]!}`, 'something else');
  const { log } = await keep(life);
  expect(Object.keys(listed(life))).toEqual(['ghcr.io/c:2']);
  expect(log).toContain('quay.io/a/b:v1 is not in the bucket yet');
});

test('what is too large is left to its registry, and asked about once', async () => {
  const life = await seat('quay.io/large:1');
  publish(life, 'quay.io/large:1', [{ size: 5 * 1024 ** 3 }]);
  await keep(life);
  expect(listed(life)).toEqual({ 'quay.io/large:1': { blobs: [] } });
  expect(stored(life)).toEqual([]);
  expect((await keep(life)).fetched).toEqual([]);
});

test('an image without an index, by digest', async () => {
  const life = await seat();
  const layer = content(life, LAYER, 'layer');
  const manifest = content(life, MANIFEST, {
    schemaVersion: 2,
    config: content(life, 'x/config', {}),
    layers: [layer],
  });
  want(life, `localhost:5000/a@${manifest.digest}`);
  await keep(life);
  expect(listed(life)[`localhost:5000/a@${manifest.digest}`]).toMatchObject({
    digest: manifest.digest,
    mediaType: MANIFEST,
  });
});

test('a tree that is not the one of the deployment names nothing', async () => {
  const life = await seat('quay.io/a/b:v1');
  publish(life, 'quay.io/a/b:v1', ['b']);
  const [key] = Object.keys(life.state.objects).filter((one) => one.startsWith('platform/'));
  want(life, 'evil.example/x:1');
  const foreign = Object.entries(life.state.objects).find(([one]) => one.startsWith('platform/') && one !== key)!;
  want(life, 'quay.io/a/b:v1', 'quay.io/a/b:v1');
  const { value } = life.state.parameters['/drowse/drowse/platform']!;
  const { tree } = JSON.parse(value) as { tree: string };
  life.state.objects[`platform/${tree}.tar.gz`] = foreign[1];
  expect(await keep(life)).toMatchObject({ fetched: [], written: [] });
});

test('a seat that Flux does not run on does nothing; nor does one that cannot see what is there', async () => {
  const life = await seat('quay.io/a/b:v1');
  publish(life, 'quay.io/a/b:v1', ['b']);
  life.sandbox.world('scenario.json', JSON.stringify({ fluxRunsOn: 'i-0bbbbbbbbbbbbbbbb' }));
  expect(await keep(life)).toMatchObject({ fetched: [], written: [] });
  life.sandbox.world('scenario.json', JSON.stringify({ fluxRunsOn: life.cloud.self }));
  life.state.refuse = { 'GET ?list-type': 'AccessDenied' };
  const refused = await keep(life);
  expect(refused).toMatchObject({ fetched: [], written: [] });
  expect(refused.log).toContain('the images could not all be kept in the bucket (AccessDenied)');
  life.state.refuse = {};
  await keep(life);
  want(life);
  life.state.refuse = { [`GET ${LIST}`]: 'InternalError' };
  expect(await keep(life)).toMatchObject({ fetched: [], written: [] });
});
