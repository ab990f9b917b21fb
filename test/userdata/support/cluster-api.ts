import { basename } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { Played, Player } from './player';
import type { Sandbox } from './sandbox';

/** What goes wrong in the cluster: `test/world/scenario.json` of a sandbox. */
export interface Scenario {
  /** Layers that the root Kustomization brings. */
  readonly layers?: readonly string[];
  /** More labels of layers. */
  readonly labels?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly dependsOn?: Readonly<Record<string, readonly string[]>>;
  /** What parts say instead of being ready, by `Kind/name`; a silent one does not even see the request. */
  readonly parts?: Readonly<Record<string, { silent?: true; reason?: string; message?: string }>>;
  /** Flux' definitions are there after so many tries. */
  readonly definitionsAfter?: number;
  readonly jobFails?: true;
  readonly jobHangs?: true;
  /** What each attempt of the Job ended with, oldest first; a container that printed nothing has no message. */
  readonly jobEnds?: readonly (string | undefined)[];
  /** The node with source-controller. */
  readonly fluxRunsOn?: string;
  /** The API goes away at the first call that contains this. */
  readonly apiGoneAt?: string;
}

/** An object as etcd holds it, as far as anything here looks at it. */
export interface Manifest {
  kind?: string;
  apiVersion?: string;
  metadata?: {
    name: string;
    generateName?: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    generation?: number;
  };
  spec?: {
    suspend?: boolean;
    unschedulable?: boolean;
    nodeName?: string;
    dependsOn?: readonly object[];
    activeDeadlineSeconds?: number;
    ttlSecondsAfterFinished?: number;
  };
  status?: Record<string, unknown>;
  items?: Manifest[];
  data?: Record<string, string>;
}

/** What Flux was asked, and how often somebody has looked since. */
interface Flux {
  requested: Record<string, string>;
  handled: Record<string, string>;
  looks: Record<string, number>;
}

/** Where a sandbox keeps what etcd holds, by kind/namespace/name: on the state volume. */
export const CLUSTER_FILE = 'test/volume/cluster.json';
/** Where it keeps what Flux knows. */
export const FLUX_FILE = 'test/world/flux.json';
/** What a seat marks the configuration with that it brought the cluster to. */
const APPLIED = 'drowse.dev/applied';
/** The label that says which Job a pod is of. */
const JOB_NAME = 'batch.kubernetes.io/job-name';
const LAYERS = 'kustomizations.kustomize.toolkit.fluxcd.io';
const TREE_SOURCE = 'externalartifacts.source.toolkit.fluxcd.io';
/** Options of kubectl that have no value. */
const FLAGS = new Set([
  ...['--server-side', '--force-conflicts', '--overwrite', '--ignore-not-found'],
  ...['--ignore-daemonsets', '--delete-emptydir-data', '--force', '--all-namespaces', '--raw'],
]);
/** Nothing here depends on what these do but that the API answers. */
const ONLY_ASK = new Set(['config', 'describe', 'drain', 'exec', 'rollout', 'wait']);

class Refused extends Error {}

/** A cluster's API with Flux behind it, as far as the platform's commands look at it, asked by kubectl. */
export function clusterApi(sandbox: Sandbox): Player {
  return (words, inputs) => new Call(sandbox, words, inputs).answer();
}

/** An object as every later look at it spells it: sorted, on one line. */
export function spell(value: unknown): string {
  const sorted = (one: unknown): unknown =>
    one === null || typeof one !== 'object' || Array.isArray(one)
      ? one
      : Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)));
  return JSON.stringify(value, (_, one) => sorted(one));
}

/** One call of kubectl. */
class Call {
  private readonly objects: Map<string, Manifest>;
  private readonly scenario: Scenario;
  private readonly flux: Flux;
  private readonly words: string[] = [];
  private readonly named: Record<string, string> = {};
  private readonly input: string;
  private output = '';

  constructor(
    private readonly sandbox: Sandbox,
    private readonly line: readonly string[],
    inputs: readonly string[],
  ) {
    this.objects = new Map(Object.entries(this.read<Record<string, Manifest>>(CLUSTER_FILE, {})));
    this.scenario = this.read('test/world/scenario.json', {});
    this.flux = this.read(FLUX_FILE, { requested: {}, handled: {}, looks: {} });
    this.input = inputs.join('');
    const rest = [...line];
    for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
      if (!word.startsWith('--')) this.words.push(word);
      else if (FLAGS.has(word)) this.named[word] = '';
      else if (!word.includes('=')) this.named[word] = rest.shift() ?? '';
    }
  }

  answer(): Played {
    const text = this.line.join(' ');
    if (this.scenario.apiGoneAt !== undefined && text.includes(this.scenario.apiGoneAt))
      this.sandbox.removePath('test/world/api-up');
    if (!this.sandbox.has('test/world/api-up')) return { code: 1, stderr: 'connection refused\n' };
    let refusal: string | undefined;
    try {
      this.verb();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      refusal = `${error.message}\n`;
    }
    for (const [path, content] of [
      [CLUSTER_FILE, Object.fromEntries(this.objects)] as const,
      [FLUX_FILE, this.flux] as const,
    ]) {
      const spelled = spell(content);
      if (!this.sandbox.has(path) || this.sandbox.read(path) !== spelled) this.sandbox.write(path, spelled);
    }
    return refusal === undefined ? { code: 0, stdout: this.output } : { code: 1, stderr: refusal };
  }

  private verb(): void {
    const [verb = '', first = '', second = ''] = this.words;
    const words = this.words.slice(1);
    if (ONLY_ASK.has(verb)) return;
    if (verb === 'get') this.get(words);
    else if (verb === 'apply') this.apply(this.named['--filename'] ?? '');
    else if (verb === 'annotate') this.annotate(words);
    else if (verb === 'patch' && first === 'node') this.patch(second, this.named['--patch'] ?? '');
    else if (verb === 'patch' && first === TREE_SOURCE) this.offer();
    else if (verb === 'patch' && first.endsWith('.source.toolkit.fluxcd.io')) this.patchSource(second);
    else if (verb === 'cordon') for (const name of words) (this.node(name).spec ??= {}).unschedulable = true;
    else if (verb === 'delete' && '--filename' in this.named) this.deleteListed(this.named['--filename']);
    else if (verb === 'delete') this.delete(words);
    else if (verb === 'replace') this.apply(this.named['--filename'] ?? '');
    else if (verb === 'create') this.create(this.named['--filename'] ?? '');
    else if (verb !== 'patch') throw new Error('the tests do not know this verb');
  }

  private get(words: readonly string[]): void {
    const [what = '', name = ''] = words;
    if ('--raw' in this.named) return;
    if (what.startsWith('job.batch/')) this.print(this.job(basename(what)));
    else if (what === 'secret') {
      if (this.objects.has(`Secret/${this.namespace}/${name}`)) this.output += `secret/${name}\n`;
    } else if (what === 'pods' && this.named['--selector'] === 'app=source-controller') {
      const here = `spec.nodeName=${this.scenario.fluxRunsOn ?? ''},status.phase=Running`;
      if (this.named['--field-selector'] === here) this.output += 'pod/source-controller-0\n';
    } else if (what === 'pods' && this.named['--selector']?.startsWith(`${JOB_NAME}=`)) {
      this.print({ items: this.podsOf(this.named['--selector'].slice(JOB_NAME.length + 1)) });
    } else if (what === 'pods' && this.named['--selector'] === 'k8s-app=kube-dns') {
      this.print({ items: this.all('Pod').filter(({ metadata }) => metadata?.labels?.['k8s-app'] === 'kube-dns') });
    } else if (what === 'pods') {
      const waiting = { reason: 'ImagePullBackOff', message: 'no such image' };
      this.print({
        items: [...this.attempts(), { metadata: {}, status: { containerStatuses: [{ state: { waiting } }] } }],
      });
    } else if (what === 'configmap') {
      this.output += this.objects.get(`ConfigMap/${this.namespace}/${name}`)?.metadata?.annotations?.[APPLIED] ?? '';
    } else if (what.startsWith('nodes,volumeattachments')) {
      const items = ['Node', 'VolumeAttachment', 'Pod', 'Lease'].flatMap((kind) =>
        this.all(kind).map((one) => ({ kind, ...one })),
      );
      this.print({ items });
    } else if (what === 'nodes') {
      const [label = '', value] = (this.named['--selector'] ?? '').split('=');
      const fits = (one: Manifest): boolean => value === undefined || one.metadata?.labels?.[label] === value;
      this.print({ items: this.all('Node').filter(fits) });
    } else if (what === 'node') this.print(this.node(name));
    else if (what === TREE_SOURCE) {
      const tree = this.objects.get(`ExternalArtifact/flux-system/${name}`);
      const artifact = tree?.status?.artifact as { digest: string } | undefined;
      expect(this.named['--output']).toBe('jsonpath={.kind} {.status.artifact.digest}');
      if (tree !== undefined) this.output += `ExternalArtifact ${artifact?.digest ?? ''}`;
    } else if (what.startsWith('helmrepositories.')) {
      const [label = '', value] = (this.named['--selector'] ?? '').split('=');
      const sources = ['HelmRepository', 'HelmChart', 'OCIRepository'].flatMap((kind) => this.all(kind));
      for (const source of sources) this.fetch(source);
      this.print({ items: sources.filter((one) => one.metadata?.labels?.[label] === value) });
    } else if (['jobs', 'events', 'certificatesigningrequests'].includes(what) || what.includes(','))
      this.print({ items: [] });
    else if (what === LAYERS) {
      const items = this.layers().map((layer) =>
        this.part(`Kustomization/${layer}`, `Kustomization/flux-system/${layer}`),
      );
      this.print({ kind: 'List', items });
    } else {
      const kind = kindOf(what);
      this.print(this.part(`${kind}/platform`, `${kind}/flux-system/platform`));
    }
  }

  private apply(path: string): void {
    const text = path === '-' ? this.input : this.sandbox.readInside(path);
    const documents = documentsOf(text).flatMap((one) => (one.kind === 'List' ? one.items! : [one]));
    const defined = documents.some((one) => one.apiVersion!.includes('toolkit.fluxcd.io'));
    if (defined && this.looked('definitions') <= (this.scenario.definitionsAfter ?? 0))
      throw new Refused('no matches for kind "ExternalArtifact" in version "source.toolkit.fluxcd.io/v1"');
    for (const one of documents) {
      const { name, namespace = '' } = one.metadata!;
      if (one.kind === 'Secret' && !this.objects.has(`Namespace//${namespace}`))
        throw new Refused('namespace not found');
      const key = `${one.kind!}/${namespace}/${name}`;
      const status = this.objects.get(key)?.status;
      this.objects.set(key, { ...one, ...(status === undefined ? {} : { status }) });
      this.output += `${one.kind === 'Job' ? 'job.batch' : one.kind!.toLowerCase()}/${name}\n`;
    }
  }

  /** A Job under a name that nobody has had. One that a run left which was cut off is gone by then, if its manifest says so. */
  private create(path: string): void {
    const [job, ...others] = documentsOf(this.sandbox.readInside(path));
    const { generateName = '', namespace = '' } = job?.metadata ?? {};
    if (job?.kind !== 'Job' || generateName === '' || others.length > 0)
      throw new Error('the tests create only a Job, of a generated name');
    if (!this.objects.has(`Namespace//${namespace}`)) throw new Refused(`namespaces "${namespace}" not found`);
    for (const [key, { spec }] of this.objects) {
      const over = spec?.activeDeadlineSeconds !== undefined && spec.ttlSecondsAfterFinished !== undefined;
      if (key.startsWith(`Job/${namespace}/${generateName}`) && over) this.objects.delete(key);
    }
    const name = `${generateName}${String(this.looked(generateName)).padStart(5, '0')}`;
    this.objects.set(`Job/${namespace}/${name}`, { ...job, metadata: { ...job.metadata, name } });
    expect(this.named['--output']).toBe('jsonpath={.metadata.name}');
    this.output += name;
  }

  /** What the Job runs: no pod at the first look, one that starts at the second, and that is ready from then on. */
  private podsOf(name: string): object[] {
    if (!this.objects.has(`Job/${this.namespace}/${name}`)) return [];
    const looks = this.looked(`pods of ${name}`);
    if (looks === 1) return [];
    const ready = { type: 'Ready', status: looks > 2 ? 'True' : 'False' };
    const status = { phase: looks > 2 ? 'Running' : 'Pending', conditions: [ready] };
    return [{ metadata: { labels: { [JOB_NAME]: name } }, spec: { nodeName: 'i-0' }, status }];
  }

  private job(name: string): Manifest {
    const job = this.objects.get(`Job/flux-system/${name}`);
    if (job === undefined) throw new Refused('jobs not found');
    if (job.status === undefined && this.looked(name) > 1 && !this.scenario.jobHangs)
      job.status = {
        conditions: [
          this.scenario.jobFails
            ? { type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded', message: 'Job has reached its limit' }
            : { type: 'Complete', status: 'True' },
        ],
      };
    return job;
  }

  /** Pods of the Job, in no order of time. */
  private attempts(): object[] {
    const name = this.all('Job')[0]?.metadata?.name;
    const attempts = (this.scenario.jobEnds ?? []).map((message, index) => ({
      metadata: {
        labels: { [JOB_NAME]: name },
        creationTimestamp: `2026-01-01T00:0${String(index)}:00Z`,
      },
      status: { containerStatuses: [{ state: { terminated: { exitCode: 1, message } } }] },
    }));
    return [...attempts.slice(1), ...attempts.slice(0, 1)];
  }

  /** The object as Flux shows it: one look after it was asked, it has answered. */
  private part(name: string, key: string): Manifest {
    const one = this.objects.get(key);
    if (one === undefined) throw new Refused(`${name} not found`);
    const asked = this.flux.requested[name];
    const told = this.scenario.parts?.[name];
    if (asked !== undefined && this.flux.handled[name] !== asked && this.looked(name) > 1 && !told?.silent) {
      this.flux.handled[name] = asked;
      const condition =
        told === undefined
          ? { type: 'Ready', status: 'True', message: 'Applied' }
          : { type: 'Ready', status: 'False', ...told };
      one.status = { conditions: [condition], observedGeneration: 1 };
      if (name === 'Kustomization/platform') this.bringLayers();
    }
    const handled = name in this.flux.handled ? { lastHandledReconcileAt: this.flux.handled[name] } : {};
    return { ...one, metadata: { ...one.metadata!, generation: 1 }, status: { ...one.status, ...handled } };
  }

  private bringLayers(): void {
    for (const layer of this.scenario.layers ?? [
      'base',
      'calico-crds',
      'network',
      'network-config',
      'ingress',
      'apps',
    ]) {
      const key = `Kustomization/flux-system/${layer}`;
      const dependsOn = (this.scenario.dependsOn?.[layer] ?? []).map((name) => ({ name }));
      const labels = { 'drowse.dev/layer': 'some', ...this.scenario.labels?.[layer] };
      const before = this.objects.get(key) ?? { kind: 'Kustomization', spec: { dependsOn } };
      this.objects.set(key, { ...before, metadata: { name: layer, labels } });
    }
  }

  private annotate([what = '', ...words]: readonly string[]): void {
    const [mark = '', value = ''] = words.at(-1)!.split('=');
    if (what === 'node') {
      for (const name of words.slice(0, -1)) (this.node(name).metadata!.annotations ??= {})[mark] = value;
      return;
    }
    if (what === 'configmap') {
      const [name = ''] = words;
      const metadata = { name, namespace: this.namespace, annotations: { [mark]: value } };
      this.objects.set(`ConfigMap/${this.namespace}/${name}`, { metadata });
      return;
    }
    for (const name of what === LAYERS ? this.layers() : ['platform']) {
      const part = `${kindOf(what)}/${name}`;
      this.flux.requested[part] = value;
      this.flux.looks[part] = 0;
    }
  }

  /** The only patch that the commands make: what drain-nodes did is taken back. */
  private patch(name: string, text: string): void {
    const change = JSON.parse(text) as { metadata: { annotations: object }; spec: object };
    expect(change.spec).toEqual({ unschedulable: null });
    const node = this.node(name);
    const marks = Object.keys(change.metadata.annotations);
    expect(Object.values(change.metadata.annotations)).toEqual(marks.map(() => null));
    const kept = Object.entries(node.metadata!.annotations!).filter(([mark]) => !marks.includes(mark));
    node.metadata!.annotations = Object.fromEntries(kept);
    delete node.spec!.unschedulable;
  }

  /** A merge patch of the tree's status, which only goes to an object that is there. */
  private offer(): void {
    const tree = this.objects.get('ExternalArtifact/flux-system/platform');
    if (tree === undefined) throw new Refused('externalartifacts not found');
    expect(this.named['--subresource']).toBe('status');
    const { status } = JSON.parse(this.sandbox.readInside(this.named['--patch-file'] ?? '')) as Manifest;
    tree.status = { ...tree.status, ...status };
  }

  /** As source-controller does, one look later: what is free has what it is pinned to. */
  private fetch({ kind, metadata, spec, status }: Manifest): void {
    const name = `${kind!}/${metadata!.name}`;
    if (spec?.suspend === true || status?.observedGeneration === metadata!.generation || this.looked(name) <= 1) return;
    const told = this.scenario.parts?.[name];
    const condition =
      told === undefined ? { type: 'Ready', status: 'True' } : { type: 'Ready', status: 'False', ...told };
    Object.assign(status!, {
      conditions: [condition],
      ...(told === undefined && { observedGeneration: metadata!.generation }),
    });
  }

  /** A merge patch of annotations and of whether it is suspended; its generation changes with the latter. */
  private patchSource(name: string): void {
    const source = ['HelmRepository', 'OCIRepository']
      .flatMap((kind) => this.all(kind))
      .find((one) => one.metadata?.name === name);
    if (source?.metadata === undefined) throw new Refused(`${name} not found`);
    const { metadata, spec } = JSON.parse(this.named['--patch'] ?? '') as {
      metadata: { annotations: Record<string, string | null> };
      spec: { suspend: true | null };
    };
    const merged = Object.entries({ ...source.metadata.annotations, ...metadata.annotations });
    source.metadata.annotations = Object.fromEntries(merged.filter((one): one is [string, string] => one[1] !== null));
    source.metadata.generation = (source.metadata.generation ?? 0) + 1;
    source.spec = { ...source.spec, ...(spec.suspend === true ? { suspend: true } : {}) };
    if (spec.suspend === null) delete source.spec.suspend;
    this.flux.looks[`${source.kind!}/${name}`] = 0;
    // As source-controller does of one that it is told to leave alone.
    if (spec.suspend === true) source.status = { ...source.status, observedGeneration: source.metadata.generation };
  }

  private delete([what = '', ...names]: readonly string[]): void {
    if (what.startsWith('job.batch/')) {
      this.objects.delete(`Job/flux-system/${basename(what)}`);
      this.flux.looks[basename(what)] = 0;
      return;
    }
    const kind = { node: 'Node', volumeattachment: 'VolumeAttachment', job: 'Job' }[what];
    for (const name of names) this.objects.delete(`${kind!}/${what === 'job' ? this.namespace : ''}/${name}`);
  }

  private deleteListed(path: string): void {
    const { items = [] } = JSON.parse(this.sandbox.read(path)) as Manifest;
    for (const { kind, metadata } of items)
      this.objects.delete(`${kind!}/${metadata!.namespace ?? ''}/${metadata!.name}`);
  }

  private get namespace(): string {
    return this.named['--namespace'] ?? '';
  }

  private all(kind: string): Manifest[] {
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(`${kind}/`));
    return keys.sort().map((key) => this.objects.get(key)!);
  }

  private layers(): string[] {
    const isLayer = (one: Manifest): boolean => 'drowse.dev/layer' in (one.metadata?.labels ?? {});
    return this.all('Kustomization')
      .filter(isLayer)
      .map((one) => one.metadata!.name);
  }

  private node(name: string): Manifest {
    const node = this.objects.get(`Node//${name}`);
    if (node === undefined) throw new Refused('nodes not found');
    return node;
  }

  private looked(name: string): number {
    return (this.flux.looks[name] = (this.flux.looks[name] ?? 0) + 1);
  }

  private print(value: unknown): void {
    this.output += `${JSON.stringify(value)}\n`;
  }

  private read<T>(path: string, otherwise: T): T {
    return this.sandbox.has(path) ? (JSON.parse(this.sandbox.read(path)) as T) : otherwise;
  }
}

function documentsOf(text: string): Manifest[] {
  if (text.startsWith('{')) return [JSON.parse(text) as Manifest];
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Manifest | null)
    .filter((one) => one !== null);
}

/** The kind of a resource of Flux, from its long name. */
function kindOf(resource: string): string {
  return resource.startsWith(LAYERS) ? 'Kustomization' : resource.split('.')[0]!;
}
