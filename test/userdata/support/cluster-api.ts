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
  readonly jobLog?: readonly string[];
  /** The API goes away at the first call that contains this. */
  readonly apiGoneAt?: string;
}

/** An object as etcd holds it, as far as anything here looks at it. */
export interface Manifest {
  kind?: string;
  apiVersion?: string;
  metadata?: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    generation?: number;
  };
  spec?: { suspend?: boolean; unschedulable?: boolean; nodeName?: string; dependsOn?: readonly object[] };
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
const LAYERS = 'kustomizations.kustomize.toolkit.fluxcd.io';
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
    else if (verb === 'cordon') for (const name of words) (this.node(name).spec ??= {}).unschedulable = true;
    else if (verb === 'delete') this.delete(words);
    else if (verb === 'create') this.print({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: second } });
    else if (verb === 'run') this.run(`Pod/${this.namespace}/${first}`);
    else if (verb === 'logs') this.output += (this.scenario.jobLog ?? []).join('\n');
    else if (verb !== 'patch') throw new Error('the tests do not know this verb');
  }

  private get(words: readonly string[]): void {
    const [what = '', name = ''] = words;
    if ('--raw' in this.named) return;
    if (what.startsWith('job.batch/')) this.print(this.job(basename(what)));
    else if (what === 'secret') {
      if (this.objects.has(`Secret/${this.namespace}/${name}`)) this.output += `secret/${name}\n`;
    } else if (what === 'pods') {
      const waiting = { reason: 'ImagePullBackOff', message: 'no such image' };
      this.print({ items: [{ status: { containerStatuses: [{ state: { waiting } }] } }] });
    } else if (what === 'nodes,volumeattachments') {
      for (const kind of ['Node', 'VolumeAttachment'])
        for (const one of this.all(kind)) this.output += `${kind} ${one.metadata!.name} ${one.spec?.nodeName ?? ''}\n`;
    } else if (what === 'nodes') {
      const [label = '', value] = (this.named['--selector'] ?? '').split('=');
      const fits = (one: Manifest): boolean => value === undefined || one.metadata?.labels?.[label] === value;
      this.print({ items: this.all('Node').filter(fits) });
    } else if (what === 'node') this.print(this.node(name));
    else if (['jobs', 'events', 'certificatesigningrequests'].includes(what) || what.includes(','))
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
    const text = path === '-' ? this.input : this.sandbox.read(path);
    const documents = documentsOf(text).flatMap((one) => (one.kind === 'List' ? one.items! : [one]));
    const defined = documents.some((one) => one.apiVersion!.includes('toolkit.fluxcd.io'));
    if (defined && this.looked('definitions') <= (this.scenario.definitionsAfter ?? 0))
      throw new Refused('no matches for kind "Bucket" in version "source.toolkit.fluxcd.io/v1"');
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

  private job(name: string): Manifest {
    const job = this.objects.get(`Job/flux-system/${name}`);
    if (job === undefined) throw new Refused('jobs not found');
    if (job.status === undefined && this.looked(name) > 1 && !this.scenario.jobHangs)
      job.status = { conditions: [{ type: this.scenario.jobFails ? 'Failed' : 'Complete', status: 'True' }] };
    return job;
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
    for (const layer of this.scenario.layers ?? ['base', 'network', 'network-config', 'ingress', 'apps']) {
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

  private delete([what = '', ...names]: readonly string[]): void {
    if (what.startsWith('job.batch/')) {
      this.objects.delete(`Job/flux-system/${basename(what)}`);
      this.flux.looks[basename(what)] = 0;
      return;
    }
    const kind = { node: 'Node', volumeattachment: 'VolumeAttachment', namespace: 'Namespace', pod: 'Pod' }[what];
    for (const name of names) {
      this.objects.delete(`${kind!}/${what === 'pod' ? this.namespace : ''}/${name}`);
      for (const key of this.objects.keys())
        if (what === 'namespace' && key.split('/')[1] === name) this.objects.delete(key);
    }
  }

  private run(key: string): void {
    if (this.objects.has(key)) throw new Refused('pods already exists');
    this.objects.set(key, {});
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
