import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const PROGRAM = join(__dirname, '../../userdata/lib/sources.jq');

interface Source {
  kind: string;
  metadata: { name: string; generation: number; annotations?: Record<string, string> };
  spec: Record<string, unknown>;
  status?: Record<string, unknown> | undefined;
}
interface Change {
  resource: string;
  name: string;
  patch: { metadata: { annotations: Record<string, string | null> }; spec: { suspend: true | null } };
}

const HELD = 'drowse.dev/held-for';

interface Settled {
  changes: Change[];
  /** Names of what has not got what it is pinned to. */
  pending: string[];
}

/** What the program finds, where the store has these artifacts. */
function look(sources: readonly Source[], stored: readonly string[]): Settled {
  const output = execFileSync(
    'bash',
    ['-c', 'jq --rawfile names <(printf "%s\\n" "$2") --from-file "$1"', 'bash', PROGRAM, stored.join('\n')],
    { input: JSON.stringify({ kind: 'List', items: sources }), encoding: 'utf8' },
  );
  const { changes, pending } = JSON.parse(output) as {
    changes: { resource: string; name: string; patch: string }[];
    pending: { name: string; message: string }[];
  };
  return {
    changes: changes.map(({ patch, ...change }) => ({ ...change, patch: JSON.parse(patch) as Change['patch'] })),
    pending: pending.map(({ name }) => name),
  };
}

/** What it would change. */
const settle = (sources: readonly Source[], stored: readonly string[]): Change[] => look(sources, stored).changes;

function source(kind: string, name: string, spec: object, status: object = {}): Source {
  return {
    kind,
    metadata: { name, generation: 3 },
    spec: { interval: '24h', ...spec },
    status: {
      observedGeneration: 3,
      artifact: { path: `${kind}/${name}` },
      conditions: [{ type: 'Ready', status: 'True' }],
      ...status,
    },
  };
}

const oci = (spec: object = {}, status?: object) =>
  source('OCIRepository', 'calico', { url: 'oci://quay.io/calico', ref: { tag: 'v3' }, ...spec }, status);
const repository = (spec: object = {}, status?: object) =>
  source('HelmRepository', 'keda', { url: 'https://keda', ...spec }, status);
const chart = (version = '2.20.2', status?: object) =>
  source('HelmChart', 'keda', { chart: 'keda', version, sourceRef: { kind: 'HelmRepository', name: 'keda' } }, status);
const STORED = ['OCIRepository/calico', 'HelmRepository/keda', 'HelmChart/keda'];

/** The source as a hold leaves it: suspended, and marked for what it was pinned to. */
function held(one: Source, ...others: Source[]): Source {
  const change = settle([one, ...others], STORED).find(({ name }) => name === one.metadata.name)!;
  const annotations = change.patch.metadata.annotations as Record<string, string>;
  return { ...one, metadata: { ...one.metadata, annotations }, spec: { ...one.spec, ...change.patch.spec } };
}

/** In short: what becomes of which source. */
const outcome = (changes: readonly Change[]) =>
  changes.map(({ name, patch }) => {
    // Whoever takes the mark must let the source go in the same request, and the reverse.
    expect(patch.metadata.annotations[HELD] === null).toBe(patch.spec.suspend === null);
    return `${patch.spec.suspend === true ? 'hold' : 'free'} ${name}`;
  });

const failing = { conditions: [{ type: 'Ready', status: 'False', reason: 'OCIPullFailed' }] };

test.each<[string, Source[], string[], string[]]>([
  ['fetched and in the store', [oci()], STORED, ['hold calico']],
  ['not fetched yet', [oci({}, { artifact: undefined, conditions: [] })], [], []],
  ['fetched, but not in the store', [oci()], [], []],
  ['of a newer generation than was fetched', [oci({}, { observedGeneration: 2 })], STORED, []],
  ['whose registry failed since', [oci({}, failing)], STORED, []],
  ['without any status', [{ ...oci(), status: undefined }], STORED, []],
  ['suspended by a person', [oci({ suspend: true })], STORED, []],
  ['suspended by a person, and lost', [oci({ suspend: true })], [], []],
  ['held, and in the store', [held(oci())], STORED, []],
  ['held, and lost from the store', [held(oci())], ['HelmChart/keda'], ['free calico']],
  ['held, and let go by Flux', [{ ...held(oci()), status: { observedGeneration: 3 } }], STORED, ['free calico']],
  [
    'held for another tag',
    [{ ...held(oci()), spec: { ...oci({ ref: { tag: 'v4' } }).spec, suspend: true } }],
    STORED,
    ['free calico'],
  ],
  [
    'held for another address',
    [{ ...held(oci()), spec: { ...oci({ url: 'oci://mirror' }).spec, suspend: true } }],
    STORED,
    ['free calico'],
  ],
  ['an index all of whose charts are there', [repository(), chart()], STORED, ['hold keda']],
  ['an index of which a chart is missing', [repository(), chart('2.20.2', { artifact: undefined })], STORED, []],
  ['an index of which a chart failed', [repository(), chart('9.9.9', failing)], STORED, []],
  ['an index that nobody wants anything of', [repository()], STORED, ['hold keda']],
  ['a held index with the same chart', [held(repository(), chart()), chart()], STORED, []],
  [
    'a held index with another version',
    [held(repository(), chart()), chart('2.21.0', { observedGeneration: 2 })],
    STORED,
    ['free keda'],
  ],
  [
    'a held index with one more chart',
    [held(repository(), chart()), chart(), { ...chart(), metadata: { name: 'more', generation: 1 } }],
    STORED,
    ['free keda'],
  ],
  [
    'a held index whose chart alone was lost: the chart finds its address in the index',
    [held(repository(), chart()), chart()],
    ['HelmRepository/keda'],
    [],
  ],
])('a source %s', (_what, sources, stored, expected) => {
  expect(outcome(settle(sources, stored))).toEqual(expected);
});

test('what a hold writes down is the pin, without the hold itself', () => {
  const [change] = settle([oci()], STORED);
  expect(change?.resource).toBe('ocirepositories.source.toolkit.fluxcd.io');
  expect(JSON.parse(change!.patch.metadata.annotations[HELD]!)).toEqual([oci().spec]);
  expect(settle([repository(), chart()], STORED)[0]?.resource).toBe('helmrepositories.source.toolkit.fluxcd.io');
});

test('a source with no store at all, as on a seat that Flux does not run on, is left as it is unless it is held', () => {
  expect(settle([oci(), repository(), chart()], [])).toEqual([]);
});

const outage = (generation: number) => ({ ...failing, observedGeneration: generation });

test.each<[string, Source[], string[]]>([
  ['as pinned', [oci(), repository(), chart()], []],
  ['held', [held(oci())], []],
  [
    'held for another pin',
    [{ ...held(oci()), spec: { ...oci({ ref: { tag: 'v4' } }).spec, suspend: true } }],
    ['OCIRepository/calico'],
  ],
  ['without any content', [oci({}, { artifact: undefined })], ['OCIRepository/calico']],
  ['whose registry does not answer today', [oci({}, outage(3))], []],
  ['changed, and the registry does not answer', [oci({}, outage(2))], ['OCIRepository/calico']],
  [
    'a chart of a new version that the index does not have',
    [held(repository()), chart('9.9.9', outage(2))],
    ['HelmRepository/keda', 'HelmChart/keda'],
  ],
])('a source %s: pending or not', (_what, sources, expected) => {
  expect(look(sources, STORED).pending).toEqual(expected);
});
