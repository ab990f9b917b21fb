import { parser } from '@prometheus-io/lezer-promql';
import { at, list, nameOf, type Manifest } from '../manifest';

/** Where a PromQL expression cannot be parsed, as a message; undefined if it can. */
export function promqlProblem(expression: string): string | undefined {
  let problem: string | undefined;
  parser.parse(expression).iterate({
    enter: (node) => {
      if (node.type.isError)
        problem ??= `cannot be parsed at «${expression.slice(node.from, node.from + 20)}»: ${expression}`;
    },
  });
  return problem;
}

/** Every PromQL expression of rules, dashboards and scalers, with where it stands. */
export function promqlIn(manifests: readonly Manifest[]): { where: string; expression: string }[] {
  return manifests.flatMap((manifest) => {
    const found = (expression: unknown) => ({ where: nameOf(manifest), expression: String(expression) });
    switch (manifest.kind) {
      case 'PrometheusRule':
        return rulesOf(manifest).map((rule) => found(at(rule, 'expr')));
      case 'ConfigMap':
        return dashboardsOf(manifest).flatMap((dashboard) =>
          list(at(dashboard, 'panels')).flatMap((panel) =>
            // Grafana fills its variables in before Prometheus sees the expression.
            list(at(panel, 'targets')).map((target) => found(String(at(target, 'expr')).replaceAll(/\$\w+/g, 'x'))),
          ),
        );
      case 'ScaledObject':
        return list(at(manifest, 'spec', 'triggers'))
          .filter((trigger) => at(trigger, 'type') === 'prometheus')
          .map((trigger) => found(at(trigger, 'metadata', 'query')));
      default:
        return [];
    }
  });
}

/** The rules of a PrometheusRule. */
export function rulesOf(manifest: Manifest): unknown[] {
  return list(at(manifest, 'spec', 'groups')).flatMap((group) => list(at(group, 'rules')));
}

/** The Grafana dashboards that a ConfigMap holds. */
export function dashboardsOf(manifest: Manifest): unknown[] {
  if (manifest.metadata.labels?.grafana_dashboard === undefined) return [];
  return Object.values(manifest.data as Record<string, string>).map((text) => JSON.parse(text) as unknown);
}
