import type { ClusterConfig } from '../../config/schema';
import { imageTagFor, readChartFacts } from '../charts';
import { clusterManifest } from '../cluster-manifest';
import { nameOf, type Manifest } from '../manifest';
import { substitute } from '../substitute';
import { substitutions } from '../substitutions';
import { allManifests, readTree, type Tree } from '../tree';
import { staleKeys, unknownValues } from './chart-values';
import { undefinedVariables, unresolvedReferences, unusedVariables } from './flux';
import { promqlIn, promqlProblem } from './promql';
import type { Schemas } from './schemas';
import { imageProblems, imagesOf, privilegesOf, unboundedPods } from './workloads';

/** Pods of ours that go beyond Pod Security's `baseline`, and why; charts' pods stand in chart-facts.yaml. */
export const PRIVILEGED: Readonly<Record<string, string>> = {
  'Job flux-system/flux-installer': 'uses the host network: there is no pod network yet',
};

/** What the check found. */
export interface Report {
  documents: number;
  kinds: Record<string, number>;
  /** Number of `problems` that make an object wrong by itself. */
  invalid: number;
  /** Number of `problems` that are references or variables leading nowhere. */
  unresolved: number;
  images: string[];
  problems: string[];
}

/** Stands in for what only a deployed cluster has; the address is of a range for documentation. */
const SAMPLE = { account: '123456789012', elasticIp: '203.0.113.7', bucketName: 'drowse-sample' };

/** Checks everything that a cluster of this configuration would get. */
export function checkPlatform(
  config: ClusterConfig,
  schemas: Schemas,
  tree: Tree = readTree(config.platform.overlay),
): Report {
  const values = substitutions(config, SAMPLE);
  const cluster = clusterManifest(config, SAMPLE).items as unknown as Manifest[];
  const manifests = [...cluster, ...allManifests(tree).map((manifest) => substitute(manifest, values))];
  const facts = readChartFacts();
  const minor = config.kubernetes.version.split('.').slice(0, 2).join('.');
  const images = imagesOf(manifests, facts, (chart) => imageTagFor(chart, minor));

  const invalid = [
    ...manifests.flatMap((manifest) => schemas.validate(manifest).map((problem) => `${nameOf(manifest)}: ${problem}`)),
    ...twice(tree),
    ...unknownValues(manifests, facts),
    ...images.flatMap(imageProblems),
    ...unboundedPods(manifests),
    ...manifests
      .filter((manifest) => privilegesOf(manifest).length > 0 && !(nameOf(manifest) in PRIVILEGED))
      .map(
        (manifest) =>
          `${nameOf(manifest)}: ${privilegesOf(manifest).join(', ')} without a reason in lib/platform/check`,
      ),
    ...promqlIn(manifests).flatMap(({ where, expression }) => {
      const problem = promqlProblem(expression);
      return problem === undefined ? [] : [`${where}: ${problem}`];
    }),
  ];
  const unresolved = [
    ...unresolvedReferences(tree),
    ...undefinedVariables(tree, Object.keys(values)),
    // An overlay that leaves layers out leaves variables and known keys over.
    ...(config.platform.overlay === 'default'
      ? [...unusedVariables(tree, Object.keys(values)), ...staleKeys(manifests, facts)]
      : []),
  ];
  return {
    documents: manifests.length,
    kinds: countBy(manifests.map(({ kind }) => kind)),
    invalid: invalid.length,
    unresolved: unresolved.length,
    images,
    problems: [...invalid, ...unresolved],
  };
}

/** Objects that two layers would fight over. */
function twice({ layers }: Tree): string[] {
  const owners = new Map<string, string>();
  return layers.flatMap(({ name, manifests }) =>
    manifests.flatMap((manifest) => {
      const key = `${manifest.apiVersion} ${nameOf(manifest)}`;
      const owner = owners.get(key);
      owners.set(key, name);
      return owner === undefined ? [] : [`${nameOf(manifest)} is in ${owner} and in ${name}`];
    }),
  );
}

function countBy(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of [...names].sort()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
