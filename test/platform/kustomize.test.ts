import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { kustomizeBuild } from '../../lib/platform/kustomize';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'drowse-kustomize-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): void {
  mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
  writeFileSync(path.join(folder, name), text);
}

const KUSTOMIZATION = 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n';
const COMPONENT = 'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n';
const CONFIG_MAP =
  'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\n  labels: { tier: a }\ndata:\n  key: value\n  other: value\n';

describe('kustomizeBuild', () => {
  it('reads folders, files with several documents, and components in their order', () => {
    write('kustomization.yaml', `${KUSTOMIZATION}resources: [inner, two.yaml]\ncomponents: [extra]\n`);
    write('inner/kustomization.yaml', `${KUSTOMIZATION}resources: [one.yaml]\n`);
    write('inner/one.yaml', CONFIG_MAP);
    write('two.yaml', `${CONFIG_MAP.replace('one', 'two')}---\n# nothing\n---\n${CONFIG_MAP.replace('one', 'three')}`);
    write('extra/kustomization.yaml', `${COMPONENT}resources: [four.yaml]\n`);
    write('extra/four.yaml', CONFIG_MAP.replace('one', 'four'));
    expect(kustomizeBuild(folder).map(({ metadata }) => metadata.name)).toEqual(['one', 'two', 'three', 'four']);
  });

  it('lets a component patch what its user has', () => {
    write('kustomization.yaml', `${KUSTOMIZATION}resources: [one.yaml]\ncomponents: [extra]\n`);
    write('one.yaml', CONFIG_MAP);
    write(
      'extra/kustomization.yaml',
      `${COMPONENT}patches:\n  - target: { kind: ConfigMap, labelSelector: tier=a }\n    patch: |\n      kind: ConfigMap\n      metadata: { name: any }\n      data: { key: new, other: null }\n`,
    );
    expect(kustomizeBuild(folder)).toEqual([
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one', labels: { tier: 'a' } }, data: { key: 'new' } },
    ]);
  });

  it('merges containers and their environment by name, and replaces other lists', () => {
    const deployment = (containers: string, more = '') =>
      `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: one }\nspec: { template: { spec: { containers: ${containers}${more} } } }\n`;
    write(
      'one.yaml',
      deployment(
        '[{ name: a, image: x, args: [p], env: [{ name: A, value: "1" }] }, { name: b }]',
        ', tolerations: [{ key: k }]',
      ),
    );
    const patch = deployment(
      '[{ name: a, image: y, args: [q], env: [{ name: B, value: "2" }] }]',
      ', tolerations: [{ key: l }]',
    );
    write(
      'kustomization.yaml',
      `${KUSTOMIZATION}resources: [one.yaml]\npatches:\n  - target: { kind: Deployment }\n    patch: |\n${patch.replaceAll(/^/gm, '      ')}\n`,
    );
    expect(kustomizeBuild(folder)[0]).toMatchObject({
      spec: {
        template: {
          spec: {
            containers: [
              {
                name: 'a',
                image: 'y',
                args: ['q'],
                env: [
                  { name: 'B', value: '2' },
                  { name: 'A', value: '1' },
                ],
              },
              { name: 'b' },
            ],
            tolerations: [{ key: 'l' }],
          },
        },
      },
    });
  });

  it('applies JSON 6902 operations, also at the end of a list', () => {
    write(
      'kustomization.yaml',
      `${KUSTOMIZATION}resources: [one.yaml]\npatches:\n  - target: { name: (one|two) }\n    patch: |\n      - { op: add, path: /list/-, value: c }\n      - { op: replace, path: /list/0, value: A }\n      - { op: remove, path: /data/other }\n      - { op: add, path: /metadata/annotations, value: { a~b: x } }\n`,
    );
    write('one.yaml', `${CONFIG_MAP}list: [a, b]\n`);
    expect(kustomizeBuild(folder)[0]).toMatchObject({
      list: ['A', 'b', 'c'],
      data: { key: 'value' },
      metadata: { annotations: { 'a~b': 'x' } },
    });
  });

  it('deletes by a patch', () => {
    write(
      'kustomization.yaml',
      `${KUSTOMIZATION}resources: [one.yaml]\npatches:\n  - target: { name: one }\n    patch: |\n      kind: ConfigMap\n      metadata: { name: one }\n      $patch: delete\n`,
    );
    write('one.yaml', CONFIG_MAP);
    expect(kustomizeBuild(folder)).toEqual([]);
  });

  it('puts objects into a namespace, but not those that have none', () => {
    write('kustomization.yaml', `${KUSTOMIZATION}namespace: there\nresources: [one.yaml, role.yaml]\n`);
    write('one.yaml', CONFIG_MAP);
    write(
      'role.yaml',
      'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: reader\nrules: []\n',
    );
    expect(kustomizeBuild(folder).map(({ metadata }) => metadata.namespace)).toEqual(['there', undefined]);
  });

  it('makes ConfigMaps of files', () => {
    write(
      'kustomization.yaml',
      `${KUSTOMIZATION}configMapGenerator:\n  - name: made\n    namespace: there\n    files: [a.txt, key=b/c.txt]\n    options: { disableNameSuffixHash: true, labels: { x: "1" } }\n`,
    );
    write('a.txt', 'A\n');
    write('b/c.txt', 'C');
    expect(kustomizeBuild(folder)).toEqual([
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'made', namespace: 'there', labels: { x: '1' } },
        data: { 'a.txt': 'A\n', key: 'C' },
      },
    ]);
  });

  it.each([
    ['a field that is not read here', 'images: []\n', /images/],
    ['a resource that is not there', 'resources: [gone.yaml]\n', /gone\.yaml: listed as a resource, but not there/],
    ['a folder without kustomization', 'resources: [empty]\n', /empty\/kustomization\.yaml: no such file/],
    ['itself', 'resources: [../self]\n', /includes itself/],
    ['YAML that is none', 'resources: [broken.yaml]\n', /broken\.yaml: /],
    ['a document that is no object', 'resources: [list.yaml]\n', /list\.yaml: a document without apiVersion or kind/],
    ['an object without a name', 'resources: [nameless.yaml]\n', /ConfigMap without metadata\.name/],
    ['a patch for nothing', 'patches:\n  - target: { kind: Secret }\n    patch: "{}"\n', /matches nothing/],
    [
      'an operation on what is not there',
      'resources: [one.yaml]\npatches:\n  - target: { kind: ConfigMap }\n    patch: "[{ op: add, path: /spec/x/y, value: 1 }]"\n',
      /ConfigMap one has no such place/,
    ],
  ])('refuses %s', (_, text, message) => {
    write('self/kustomization.yaml', KUSTOMIZATION + text);
    write('self/broken.yaml', 'a: b: c\n');
    write('self/list.yaml', '[1, 2]\n');
    write('self/nameless.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n');
    write('self/one.yaml', CONFIG_MAP);
    mkdirSync(path.join(folder, 'self', 'empty'));
    expect(() => kustomizeBuild(path.join(folder, 'self'))).toThrow(message);
  });
});
