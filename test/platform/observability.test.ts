import { readFileSync } from 'node:fs';
import path from 'node:path';
import { dashboardsOf, promqlIn, rulesOf } from '../../lib/platform/check/promql';
import { at, list } from '../../lib/platform/manifest';
import { clusterObjects } from './support';

const objects = clusterObjects();
const rules = objects
  .filter(({ kind, metadata }) => kind === 'PrometheusRule' && metadata.namespace === 'monitoring')
  .flatMap(rulesOf) as Record<string, unknown>[];
const dashboards = objects.flatMap((manifest) => (manifest.kind === 'ConfigMap' ? dashboardsOf(manifest) : []));
const docs = readFileSync(path.join(__dirname, '..', '..', 'docs', 'platform.md'), 'utf8');

describe('alerts', () => {
  it('cover what the design names', () => {
    expect(rules.map(({ alert }) => alert)).toEqual(
      expect.arrayContaining([
        'NodeNotReady',
        'GpuUnhealthy',
        'CertificateExpiring',
        'EtcdDatabaseLarge',
        'EtcdSlow',
        'BackupOld',
        'SpotInterruption',
      ]),
    );
  });

  it.each(rules.map((rule) => [String(rule.alert), rule] as const))(
    '%s says what happened and what to do',
    (alert, rule) => {
      expect(at(rule, 'labels', 'severity')).toMatch(/^(critical|warning|none)$/);
      expect(at(rule, 'annotations', 'summary')).toMatch(/\.$/);
      expect(at(rule, 'annotations', 'runbook')).toBe(`docs/platform.md#${alert.toLowerCase()}`);
      expect(docs).toContain(`\n### ${alert}\n`);
    },
  );

  it('go to the cluster’s topic', () => {
    const stack = objects.find(
      ({ metadata }) => metadata.name === 'kube-prometheus-stack' && metadata.namespace === 'monitoring',
    );
    const config = at(stack, 'spec', 'values', 'alertmanager', 'config');
    expect(at(config, 'route', 'receiver')).toBe('topic');
    expect(list(at(config, 'receivers')).find((receiver) => at(receiver, 'name') === 'topic')).toMatchObject({
      sns_configs: [
        { topic_arn: 'arn:aws:sns:us-east-1:123456789012:drowse-notifications', sigv4: { region: 'us-east-1' } },
      ],
    });
  });

  it('hear of snapshots from where the node scripts tell of them, under the names that these use', () => {
    const userdata = (file: string) => readFileSync(path.join(__dirname, '..', '..', 'userdata', file), 'utf8');
    const stack = objects.find(
      ({ metadata }) => metadata.name === 'kube-prometheus-stack' && metadata.namespace === 'monitoring',
    );
    const [, folder] = /^readonly METRICS=\$\{DROWSE_VAR\}\/(\w+)$/m.exec(userdata('lib/metrics.sh'))!;
    const [, parent] = /^readonly DROWSE_VAR=(\S+)$/m.exec(userdata('lib/common.sh'))!;
    expect(at(stack, 'spec', 'values', 'prometheus-node-exporter', 'extraArgs')).toContain(
      `--collector.textfile.directory=/host/root${parent!}/${folder!}`,
    );
    const told = userdata('commands/snapshot-etcd.sh').match(/^drowse_\w+(?=\{)/gm);
    const asked = JSON.stringify([rules, dashboards]).match(/drowse_\w+/g);
    expect(told).toEqual(expect.arrayContaining([...new Set(asked)]));
    expect(asked!.length).toBeGreaterThan(3);
  });

  it('count a cluster that never had a snapshot from its beginning', () => {
    const backup = rules.find(({ alert }) => alert === 'BackupOld')!;
    expect(backup.expr).toContain(
      '(max(drowse_etcd_snapshot_timestamp_seconds) or max(kube_namespace_created{namespace="kube-system"}))',
    );
  });

  it('need no password that everybody knows', () => {
    const stack = objects.find(
      ({ metadata }) => metadata.name === 'kube-prometheus-stack' && metadata.namespace === 'monitoring',
    );
    expect(at(stack, 'spec', 'values', 'grafana')).toMatchObject({ admin: { existingSecret: 'grafana-admin' } });
    expect(JSON.stringify(stack)).not.toMatch(/adminPassword/);
  });
});

describe('dashboards', () => {
  it('are the six of the design', () => {
    expect(dashboards.map((dashboard) => at(dashboard, 'title'))).toEqual([
      'Cluster',
      'Nodes',
      'Pods',
      'GPU',
      'Ingress',
      'Sleep and wake',
    ]);
  });

  it.each(dashboards.map((dashboard) => [String(at(dashboard, 'title')), dashboard] as const))(
    '%s has panels that ask Prometheus and do not overlap',
    (_, dashboard) => {
      const panels = list(at(dashboard, 'panels')) as {
        id: number;
        gridPos: { x: number; y: number; w: number; h: number };
      }[];
      expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
      const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) => {
        expect(x + w).toBeLessThanOrEqual(24);
        return Array.from(
          { length: w * h },
          (__, index) => `${String(x + (index % w))},${String(y + Math.floor(index / w))}`,
        );
      });
      expect(new Set(cells).size).toBe(cells.length);
      for (const panel of panels) {
        expect(at(panel, 'datasource', 'uid')).toBe('prometheus');
        expect(list(at(panel, 'targets')).length).toBeGreaterThan(0);
      }
    },
  );

  it('keep Grafana’s own variables', () => {
    const pods = dashboards.find((dashboard) => at(dashboard, 'uid') === 'pods');
    expect(JSON.stringify(pods)).toContain('$namespace');
  });
});

it('finds every expression', () => {
  expect(promqlIn(objects.filter(({ metadata }) => metadata.namespace === 'monitoring')).length).toBe(
    rules.length + dashboards.flatMap((d) => list(at(d, 'panels'))).flatMap((p) => list(at(p, 'targets'))).length,
  );
});
