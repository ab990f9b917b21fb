import { readCharts } from '../charts';
import { inputsOf, resourcesFor } from '../facts/inputs';
import { isBeside, type ReleaseFacts, type SystemFacts } from '../facts/schema';
import { systemInputs } from '../facts/system';
import { at, nameOf, type Manifest } from '../manifest';
import { releasesOf } from './flux';

const AGAIN = 'run make platform-render';

/** Kubernetes' limit of a Secret, in which Helm keeps a release (MaxSecretSize of its API), and how much of it may be taken. */
const SECRET_BYTES = 1_048_576;
const SHARE = 0.95;

/**
 * Where a release and its facts do not fit: facts that are missing or older than the release, values that change nothing, a release too large for Helm.
 * @param manifests the tree before substitution
 */
export function factProblems(manifests: readonly Manifest[], facts: Readonly<Record<string, ReleaseFacts>>): string[] {
  const charts = readCharts();
  return releasesOf(manifests).flatMap((release) => {
    const known = facts[release.metadata.name];
    const where = nameOf(release);
    if (known === undefined) return [`${where}: it is not known what its chart makes of it; ${AGAIN}`];
    const chart = String(at(release, 'spec', 'chartRef', 'name'));
    const pinned = charts[chart]?.version;
    return [
      ...(pinned !== undefined && known.chart.pinned !== pinned
        ? [`${where}: ${chart} is pinned to ${pinned}, and was rendered when it was ${known.chart.pinned}; ${AGAIN}`]
        : []),
      ...(known.inputs !== inputsOf(release, resourcesFor(chart, manifests))
        ? [`${where}: its values, post-renderers or what its operator reads changed since it was rendered; ${AGAIN}`]
        : []),
      ...known.idle.map(
        (value) => `${where}: ${value} changes nothing: ${chart} does not know it, or has it by default`,
      ),
      ...(known.releaseBytes > SECRET_BYTES * SHARE
        ? [
            `${where}: Helm needs ${String(known.releaseBytes)} bytes to keep it, of ${String(SECRET_BYTES)}: the next version may not fit`,
          ]
        : []),
    ];
  });
}

/** Whether what is known of Flux is of other patches than those that are there. */
export function systemProblems({ inputs }: SystemFacts): string[] {
  return inputs === systemInputs()
    ? []
    : [`platform/flux/patches changed since lib/platform/facts/system.yaml was written; ${AGAIN}`];
}

/** Facts of releases that the tree does not have. */
export function staleFacts(manifests: readonly Manifest[], facts: Readonly<Record<string, ReleaseFacts>>): string[] {
  const names = new Set(releasesOf(manifests).map(({ metadata }) => metadata.name));
  return Object.keys(facts)
    .filter((name) => !names.has(name))
    .map((name) => `lib/platform/facts/releases/${name}.yaml: no release has this name; ${AGAIN}`);
}

/** What is known of a version beside the pinned one, as notices: nothing to mend, and good to know. */
export function besideNotices(facts: readonly ReleaseFacts[]): string[] {
  return facts
    .filter(isBeside)
    .map(({ chart }) => `${chart.name}: rendered ${chart.version}, pinned is ${chart.pinned}`);
}
