import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { nodeInstall } from '../../lib/node';
import { keyOf } from './support/curl';
import { Life } from './support/life';
import { poolData } from './support/nodes';

const { url, sha256, images } = nodeInstall('1.36.3').imageCredentials;
/** What the tests' repositories answer. */
const PROGRAM = keyOf(url);
const DIGEST = createHash('sha256').update(PROGRAM).digest('hex');
const PROVIDER = 'var/lib/drowse/image-credentials/ecr-credential-provider';

let life: Life | undefined;
afterEach(async () => {
  await life?.end();
  life = undefined;
});

/** The step alone, with what install.json would say. */
async function install(digest: string, { required = false, down = false } = {}) {
  life = new Life(poolData());
  const sandbox = await life.replace();
  if (down) sandbox.world('repositories-down');
  const words = `INSTALL[imageCredentials.url]='${url}' INSTALL[imageCredentials.sha256]='${digest}' INSTALL[imageCredentials.images]='${images}' INSTALL[imageCredentials.required]=${String(required)}`;
  const script = `set -o errexit -o nounset -o pipefail
    source /opt/drowse/lib/common.sh
    source /opt/drowse/lib/install.sh
    open_scratch
    ${words}
    install_image_credentials
    close_scratch`;
  sandbox.write('test/step.sh', script);
  return { sandbox, run: await sandbox.run(['/test/step.sh']) };
}

test('puts the pinned provider there, and tells the kubelet', async () => {
  const { sandbox, run } = await install(DIGEST);
  expect(run).toMatchObject({ code: 0 });
  expect(sandbox.read(PROVIDER)).toBe(PROGRAM);
  expect(statSync(join(sandbox.root, PROVIDER)).mode & 0o777).toBe(0o755);
  expect(parse(sandbox.read('etc/drowse/kubernetes/image-credentials.yaml'))).toEqual({
    apiVersion: 'kubelet.config.k8s.io/v1',
    kind: 'CredentialProviderConfig',
    providers: [
      {
        name: 'ecr-credential-provider',
        apiVersion: 'credentialprovider.kubelet.k8s.io/v1',
        matchImages: ['*.dkr.ecr.*.amazonaws.com'],
        defaultCacheDuration: '12h',
      },
    ],
  });
  expect(sandbox.read('etc/default/kubelet')).toBe(
    'KUBELET_EXTRA_ARGS=--image-credential-provider-bin-dir=/var/lib/drowse/image-credentials ' +
      '--image-credential-provider-config=/etc/drowse/kubernetes/image-credentials.yaml\n',
  );
});

test('takes no other program', async () => {
  const { sandbox, run } = await install(sha256);
  expect(run.code).toBe(1);
  expect(run.stderr).toContain('[digest-mismatch]');
  expect(sandbox.has(PROVIDER)).toBe(false);
});

test('a node that need not have it goes on without, and with no flags of an earlier image', async () => {
  const { sandbox, run } = await install(DIGEST, { down: true });
  expect(run).toMatchObject({ code: 0 });
  expect(run.stderr).toContain('this node pulls none from there');
  expect(sandbox.read('etc/default/kubelet')).toBe('KUBELET_EXTRA_ARGS=\n');
});

test('one that the configuration has pull from ECR does not', async () => {
  const { run } = await install(DIGEST, { down: true, required: true });
  expect(run.code).toBe(1);
  expect(run.stderr).toContain('[packages-unavailable]');
});

test.each([
  ['names repositories of ECR', true],
  ['names none', false],
])('every node installs it; where the configuration %s, it must: %s', (_what, ecr) => {
  expect(nodeInstall('1.36.3', {}, { ecr }).imageCredentials).toEqual({ url, sha256, images, required: ecr });
});
