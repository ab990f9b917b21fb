import { newCloudState } from './support/cloud-state';
import { CLUSTER_FILE, type Manifest, type Scenario } from './support/cluster-api';
import { Life, livesOfTests } from './support/life';
import { seatData } from './support/nodes';
import { addFakes } from './support/sandbox';

const STORE = 'var/lib/drowse/flux';
const ARCHIVE = 'flux/artifacts.tar.gz';
const CALICO = 'ocirepository/flux-system/calico/sha256:0123.tar.gz';
const INDEX = 'helmrepository/flux-system/keda/index-4567.yaml';

const lives = livesOfTests();
beforeAll(() => {
  addFakes('fakes-platform');
});

const HERE: Scenario = { fluxRunsOn: 'i-0aaaaaaaaaaaaaaaa' };

async function seat(scenario = HERE, { booted = false } = {}): Promise<Life> {
  const life = new Life(seatData(), newCloudState());
  lives.push(life);
  await life.replace();
  if (booted) await boot(life);
  life.sandbox.world('api-up');
  life.sandbox.world('scenario.json', JSON.stringify(scenario));
  life.sandbox.write(`${STORE}/${CALICO}`, 'a chart');
  life.sandbox.write(`${STORE}/${INDEX}`, 'an index');
  life.sandbox.write(`${STORE}/${INDEX}.lock`, '');
  write(life, { ...source('OCIRepository', 'calico', CALICO), ...source('HelmRepository', 'keda', INDEX) });
  return life;
}

/** Boots the instance, and gives what it wrote into its log. */
async function boot(life: Life): Promise<string> {
  const { code, stderr } = await life.boot();
  expect(code === 0 ? '' : stderr).toBe('');
  return stderr;
}

function source(kind: string, name: string, path: string): Record<string, Manifest> {
  const metadata = { name, generation: 1, labels: { 'drowse.dev/pinned': 'true' } };
  const status = { observedGeneration: 1, artifact: { path }, conditions: [{ type: 'Ready', status: 'True' }] };
  return { [`${kind}/flux-system/${name}`]: { kind, metadata, spec: {}, status } };
}

const write = (life: Life, objects: object) => life.sandbox.write(CLUSTER_FILE, JSON.stringify(objects));
const objects = (life: Life) => JSON.parse(life.sandbox.read(CLUSTER_FILE)) as Record<string, Manifest>;
const suspended = (life: Life) =>
  Object.values(objects(life))
    .filter(({ kind }) => kind?.endsWith('Repository'))
    .map(({ spec }) => spec?.suspend === true);

/** What one run of the timer does: its calls that change something. */
async function keep(life: Life): Promise<string[]> {
  const before = life.sandbox.calls.length;
  const { code, stderr } = await life.sandbox.run(['/opt/drowse/keep-flux.sh'], { playCurl: true });
  expect(code === 0 ? '' : stderr).toBe('');
  return life.sandbox.calls
    .slice(before)
    .filter((call) => / (patch|PUT|GET) /.test(call))
    .map((call) =>
      call.replace(/--kubeconfig \S+ --request-timeout \S+ --namespace \S+ /, '').replace(/ --type.*/, ''),
    );
}

test('what was fetched is held and kept in the bucket, once, and the next instance has it before Flux starts', async () => {
  const life = await seat(HERE, { booted: true });
  expect(await keep(life)).toEqual([
    'kubectl patch helmrepositories.source.toolkit.fluxcd.io keda',
    'kubectl patch ocirepositories.source.toolkit.fluxcd.io calico',
    `aws s3 PUT ${ARCHIVE}`,
  ]);
  expect(suspended(life)).toEqual([true, true]);
  expect(await keep(life)).toEqual([]);
  life.sandbox.write(`${STORE}/bucket/flux-system/platform/89ab.tar.gz`, 'the tree');
  expect(await keep(life)).toEqual([`aws s3 PUT ${ARCHIVE}`]);

  await life.replace();
  await boot(life);
  expect(life.sandbox.read(`${STORE}/${CALICO}`)).toBe('a chart');
  expect(life.sandbox.read(`${STORE}/bucket/flux-system/platform/89ab.tar.gz`)).toBe('the tree');
  expect(life.sandbox.has(`${STORE}/${INDEX}.lock`)).toBe(false);
  // Flux came to this one: nothing changed, so nothing is asked, held, freed or kept.
  life.sandbox.world('scenario.json', JSON.stringify({ fluxRunsOn: life.cloud.self }));
  life.sandbox.world('api-up');
  expect(await keep(life)).toEqual([]);
  expect(suspended(life)).toEqual([true, true]);
});

test('a pin that changed is let go, and held again once it is fetched', async () => {
  const life = await seat();
  await keep(life);
  const changed = objects(life);
  const { spec, metadata, status } = changed['OCIRepository/flux-system/calico']!;
  Object.assign(spec!, { ref: { tag: 'v4' } });
  metadata!.generation! += 1;
  write(life, changed);
  expect(await keep(life)).toEqual(['kubectl patch ocirepositories.source.toolkit.fluxcd.io calico']);
  expect(suspended(life)).toEqual([true, false]);
  expect(await keep(life)).toEqual([]);
  const fetched = objects(life);
  const calico = fetched['OCIRepository/flux-system/calico']!;
  calico.status = { ...status, observedGeneration: calico.metadata!.generation };
  write(life, fetched);
  expect(await keep(life)).toEqual(['kubectl patch ocirepositories.source.toolkit.fluxcd.io calico']);
  expect(suspended(life)).toEqual([true, true]);
});

test('a seat that Flux does not run on does nothing', async () => {
  const life = await seat({ fluxRunsOn: 'i-0bbbbbbbbbbbbbbbb' });
  expect(await keep(life)).toEqual([]);
});

test('an API that is down ends the run without a complaint', async () => {
  const life = await seat();
  life.sandbox.removePath('test/world/api-up');
  expect(await keep(life)).toEqual([]);
});

test('an archive that cannot be unpacked is none: the seat boots, and Flux has an empty folder', async () => {
  const life = await seat(HERE, { booted: true });
  await life.replace();
  life.state.objects[ARCHIVE] = Buffer.from('no archive');
  expect(await boot(life)).toContain('the artifacts of Flux cannot be unpacked');
  expect(life.sandbox.has(STORE)).toBe(true);
});
