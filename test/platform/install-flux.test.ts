import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fluxYaml } from '../../lib/platform/build';
import { parseYaml, toManifest, type Manifest } from '../../lib/platform/manifest';
import { find } from './support';

const manifests = (): Manifest[] =>
  parseYaml(fluxYaml(), 'flux.yaml').map((document) => toManifest(document, 'flux.yaml'));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'drowse-install-flux-'));
  // As the Job mounts its ConfigMap.
  const { data } = find(manifests(), 'ConfigMap', 'flux-installer') as unknown as { data: Record<string, string> };
  for (const [name, content] of Object.entries(data)) writeFileSync(path.join(folder, name), content);
  mkdirSync(path.join(folder, 'tmp'));
  fake('flux', 'echo "kind: List"');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A program of this name that notes its words and then does this. */
function fake(name: string, script: string): void {
  const file = path.join(folder, name);
  writeFileSync(file, `#!/bin/sh\necho "${name} $*" >>${folder}/calls\n${script}\n`);
  chmodSync(file, 0o755);
}

function attempt(): { code: number | null; output: string; calls: string[] } {
  writeFileSync(path.join(folder, 'calls'), '');
  const { status, stdout, stderr } = spawnSync('sh', [path.join(folder, 'install.sh')], {
    env: { PATH: `${folder}:${process.env.PATH!}`, TMPDIR: path.join(folder, 'tmp') },
    encoding: 'utf8',
  });
  const calls = readFileSync(path.join(folder, 'calls'), 'utf8').trimEnd().split('\n');
  return { code: status, output: `${stdout}${stderr}`.trimEnd(), calls };
}

const APPLY = `kubectl apply --server-side --force-conflicts --field-manager=flux-installer --kustomize`;

test('each attempt starts clean: one that fails leaves nothing that the next one stumbles over', () => {
  fake(
    'kubectl',
    `case "$1" in apply)
       echo "deployment.apps/source-controller serverside-applied"
       [ -e ${folder}/failed ] || { : >${folder}/failed; echo "error: connection refused" >&2; exit 1; } ;;
     esac`,
  );
  const [first, second, third] = [attempt(), attempt(), attempt()];
  expect(first.code).toBe(1);
  expect(first.output).toBe('error: connection refused');
  for (const { code, calls } of [second, third]) {
    expect(code).toBe(0);
    expect(calls).toEqual([
      expect.stringContaining('flux install --export'),
      `${APPLY} ${folder}/tmp/flux`,
      ...['source', 'kustomize', 'helm'].map(
        (name) => `kubectl --namespace flux-system rollout status deployment/${name}-controller --timeout=240s`,
      ),
    ]);
  }
  expect(readFileSync(path.join(folder, 'tmp', 'flux', 'kustomization.yaml'), 'utf8')).toBe(
    readFileSync(path.join(folder, 'kustomization.yaml'), 'utf8'),
  );
});

test('the cause is what it says last, and which pods are not there', () => {
  fake(
    'kubectl',
    `case "$*" in
       *rollout*helm*) echo "error: timed out waiting for the condition" >&2; exit 1 ;;
       *"get pods"*) echo "helm-controller-0 0/1 ImagePullBackOff" ;;
     esac`,
  );
  const { code, output } = attempt();
  expect(code).toBe(1);
  expect(output.split('\n').sort()).toEqual([
    'error: timed out waiting for the condition',
    'helm-controller-0 0/1 ImagePullBackOff',
  ]);
});

test('the Job keeps the last words of an attempt where they can be read without its logs', () => {
  const job = manifests().find(({ kind }) => kind === 'Job');
  const { spec } = job as unknown as {
    spec: { template: { spec: { restartPolicy: string; containers: { terminationMessagePolicy: string }[] } } };
  };
  expect(spec.template.spec.restartPolicy).toBe('Never');
  expect(spec.template.spec.containers.map((one) => one.terminationMessagePolicy)).toEqual(['FallbackToLogsOnError']);
});
