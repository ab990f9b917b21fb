import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { releasesOf } from '../../lib/platform/check/flux';
import { factsOf } from '../../lib/platform/facts/extract';
import { chartField, digestOf, Helm, releaseBytes } from '../../lib/platform/facts/helm';
import { toRelease } from '../../lib/platform/facts/inputs';
import { changingValues, render } from '../../lib/platform/facts/render';
import { readFacts } from '../../lib/platform/facts/schema';
import { at, type Manifest } from '../../lib/platform/manifest';
import { clusterObjects } from '../platform/support';
import { renderRelease } from './releases';
import { kubernetesVersion, readServer } from './server';

/** What `make platform-render` says of charts, held against the real Helm, kustomize and API server. */

const { programs, charts, kubeconfig, folder } = readServer();
const helm = new Helm(programs.helm);
const facts = readFacts();
const releases = releasesOf(clusterObjects());
afterAll(() => {
  helm.close();
});

const FILES = {
  'Chart.yaml': 'apiVersion: v2\nname: tiny\nversion: 1.2.3\n',
  'values.yaml': 'port: 8080\nlabel: same\nresources: {}\n',
  'templates/deployment.yaml': `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  labels: { label: {{ .Values.label }} }
spec:
  selector: { matchLabels: { app: tiny } }
  template:
    metadata: { labels: { app: tiny } }
    spec:
      containers:
        - name: tiny
          image: example.org/tiny:1
          ports: [{ containerPort: {{ .Values.port }} }]
          resources: {{ .Values.resources | toJson }}
`,
};

/** A chart's folder with these files. */
function chartOf(files: Record<string, string>): string {
  const chart = path.join(mkdtempSync(path.join(folder, 'chart-')), 'tiny');
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(chart, name)), { recursive: true });
    writeFileSync(path.join(chart, name), text);
  }
  return chart;
}

const release = (values: Record<string, unknown>, patches: unknown[] = []) => ({
  name: 'a',
  namespace: 'x',
  values,
  patches,
  skipSchema: false,
});

describe('values', () => {
  it('that change nothing are told from those that do', async () => {
    const values = {
      port: 9095,
      label: 'same',
      probesServerPort: 9095,
      resources: { requests: { cpu: '1m' }, limits: { memory: '1Mi' } },
    };
    expect(await changingValues(helm, chartOf(FILES), release(values), kubernetesVersion())).toEqual({
      values: ['port', 'resources'],
      idle: ['label', 'probesServerPort'],
    });
  });

  it('that a chart cannot do without change something', async () => {
    const chart = chartOf({ ...FILES, 'templates/a.yaml': '{{ required "needs a name" .Values.name }}' });
    const { values } = await changingValues(helm, chart, release({ name: '# a' }), kubernetesVersion());
    expect(values).toEqual(['name']);
  });

  it('of a chart that renders otherwise each time are of no use', async () => {
    const random = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: {{ randAlphaNum 8 | lower }} }\n';
    const chart = chartOf({ ...FILES, 'templates/random.yaml': random });
    await expect(changingValues(helm, chart, release({ port: 1 }), kubernetesVersion())).rejects.toThrow(
      /two renderings differ/,
    );
  });
});

describe('post-renderers', () => {
  const patch = (image: string) => ({
    target: { kind: 'Deployment' },
    patch: `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: a }\nspec: { template: { spec: { containers: [{ name: tiny, image: '${image}' }] } } }`,
  });

  it('change what Helm rendered', async () => {
    const { objects } = await render(
      helm,
      chartOf(FILES),
      release({}, [patch('example.org/tiny:2')]),
      kubernetesVersion(),
    );
    expect(factsOf(objects, 'x').images).toEqual(['example.org/tiny:2']);
  });

  it('that change nothing are refused', async () => {
    const idle = render(helm, chartOf(FILES), release({}, [patch('example.org/tiny:1')]), kubernetesVersion());
    await expect(idle).rejects.toThrow(/a post-renderer for .* changes nothing/);
  });
});

describe('a chart repository', () => {
  let server: HttpServer;
  let origin: string;
  beforeAll(async () => {
    const repository = mkdtempSync(path.join(folder, 'repository-'));
    server = createServer((request, response) => {
      try {
        response.end(readFileSync(path.join(repository, path.basename(request.url ?? ''))));
      } catch {
        response.writeHead(404).end();
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    execFileSync(programs.helm, ['package', chartOf(FILES), '--destination', repository]);
    execFileSync(programs.helm, ['repo', 'index', repository, '--url', origin]);
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  it('gives the chart that its folder holds', async () => {
    const pulled = await helm.unpack(await helm.pull(`${origin} tiny`, '1.2.3'));
    expect(chartField(pulled, 'version')).toBe('1.2.3');
    expect(digestOf(pulled)).toBe(digestOf(await helm.unpack(chartOf(FILES))));
  });

  it('without the version says so in Helm’s words', async () => {
    await expect(helm.pull(`${origin} tiny`, '9.9.9')).rejects.toThrow(/version "9\.9\.9" not found/);
  });
});

describe('the facts', () => {
  const versionsOf = (name: string) => {
    const chart =
      charts[
        String(
          at(
            releases.find(({ metadata }) => metadata.name === name),
            'spec',
            'chartRef',
            'name',
          ),
        )
      ];
    return chart === undefined ? undefined : chartField(chart, 'version');
  };
  // Where the folder has another version than was rendered, there is nothing to compare.
  const same = releases.filter(({ metadata }) => versionsOf(metadata.name) === facts[metadata.name]?.chart.version);

  it('are of the charts that are here', () => {
    expect(same.length).toBeGreaterThan(10);
  });

  it.each(same.map((each): [string, Manifest] => [each.metadata.name, each]))(
    'of %s name the workloads that Helm and kustomize make',
    (name, each) => {
      const { workloads, definitions } = factsOf(renderRelease(each, []), each.metadata.namespace ?? '');
      const known = facts[name]!;
      const rendered = known.workloads.filter(({ madeBy }) => madeBy === undefined);
      const withoutImages = (all: typeof rendered) =>
        all.map((workload) => ({ ...workload, containers: workload.containers.map((one) => ({ ...one, image: '' })) }));
      expect(withoutImages(workloads)).toEqual(withoutImages(rendered));
      expect(definitions).toEqual(known.definitions);
    },
  );

  it('weigh a release as Helm keeps it in the cluster, but for 2 %', async () => {
    const headlamp = releases.find(({ metadata }) => metadata.name === 'headlamp')!;
    const chart = await helm.unpack(charts.headlamp!);
    const { name, values } = toRelease(headlamp);
    const given = { ...toRelease(headlamp), name, namespace: 'default' };
    const { text } = await render(helm, chart, { ...given, patches: [] }, kubernetesVersion());
    const file = path.join(folder, 'headlamp.json');
    writeFileSync(file, JSON.stringify(values));
    const run = (command: string, ...args: string[]) =>
      execFileSync(command, [...args, '--kubeconfig', kubeconfig, '--namespace', 'default'], { encoding: 'utf8' });
    run(programs.helm, 'install', 'weighed', chart, '--values', file);
    try {
      const secret = run(
        programs.kubectl,
        'get',
        'secret',
        'sh.helm.release.v1.weighed.v1',
        '-o',
        'jsonpath={.data.release}',
      );
      const kept = Buffer.from(secret, 'base64').length;
      const weight = releaseBytes(chart, { name: 'weighed', namespace: 'default', values, manifest: text });
      expect(Math.abs(weight / kept - 1)).toBeLessThan(0.02);
    } finally {
      run(programs.helm, 'uninstall', 'weighed');
    }
  });
});
