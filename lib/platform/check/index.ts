import type { ClusterConfig } from '../../../core/config/schema';
import { imageTagFor } from '../charts';
import { sizeOf } from './nodes';
import { clusterManifest } from '../cluster-manifest';
import { readFacts, readSystem } from '../facts/schema';
import { nameOf, type Manifest } from '../manifest';
import { substitute } from '../substitute';
import { substitutions } from '../substitutions';
import { allManifests, readTree, type Tree } from '../tree';
import { besideNotices, factProblems, staleFacts, systemProblems } from './chart-facts';
import { releasesOf, undefinedVariables, unresolvedReferences, unusedVariables } from './flux';
import { placementProblems, workloadsOf } from './placement';
import { privilegeProblems } from './privileges';
import { promqlIn, promqlProblem } from './promql';
import type { Schemas } from './schemas';
import { imageProblems, imagesOf, pullProblems, unboundedPods } from './workloads';

/** What the check found. */
export interface Report {
  documents: number;
  kinds: Record<string, number>;
  /** Number of `problems` that make an object wrong by itself. */
  invalid: number;
  /** Number of `problems` that are references or variables leading nowhere. */
  unresolved: number;
  images: string[];
  /** What is good to know: charts that were rendered at another version than the pinned one. */
  notices: string[];
  problems: string[];
}

/** Stands in for what only a deployed cluster has; the address is of a range for documentation. */
const SAMPLE = { account: '123456789012', elasticIp: '203.0.113.7', bucketName: 'drowse-sample' };

/** Checks everything that a cluster of this configuration would get. */
export function checkPlatform(config: ClusterConfig, schemas: Schemas, tree: Tree = readTree(config.platform)): Report {
  const values = substitutions(config, SAMPLE);
  const cluster = clusterManifest(config, SAMPLE).items as unknown as Manifest[];
  const manifests = [...cluster, ...allManifests(tree).map((manifest) => substitute(manifest, values))];
  const facts = readFacts();
  const system = readSystem();
  const minor = config.kubernetes.version.split('.').slice(0, 2).join('.');
  const raw = allManifests(tree);
  const used = releasesOf(raw).flatMap(({ metadata }) => facts[metadata.name] ?? []);
  const images = imagesOf(manifests, used, (chart) => imageTagFor(chart, minor));
  const layers = tree.layers
    .flatMap(({ manifests: objects }) => objects)
    .map((manifest) => substitute(manifest, values));
  const workloads = workloadsOf(layers, facts, system);

  const invalid = [
    ...manifests.flatMap((manifest) => schemas.validate(manifest).map((problem) => `${nameOf(manifest)}: ${problem}`)),
    ...twice(tree),
    ...factProblems(raw, facts),
    ...systemProblems(system),
    ...images.flatMap(imageProblems),
    ...unboundedPods(manifests),
    ...pullProblems(workloads),
    ...privilegeProblems(manifests, used),
    ...placementProblems(config, tree, workloads, system, sizeOf),
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
      ? [...unusedVariables(tree, Object.keys(values)), ...staleFacts(raw, facts)]
      : []),
  ];
  return {
    documents: manifests.length,
    kinds: countBy(manifests.map(({ kind }) => kind)),
    invalid: invalid.length,
    unresolved: unresolved.length,
    images,
    notices: besideNotices(used),
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
