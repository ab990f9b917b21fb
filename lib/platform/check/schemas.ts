import { readdirSync, readFileSync, existsSync } from 'node:fs';
import path from 'node:path';
import Ajv2020, { type ValidateFunction } from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { KUBERNETES_MINORS } from '../../../core/config/schema';
import { groupOf, type Manifest } from '../manifest';
import { CustomSchemas } from './custom-schemas';

/** Annotation of objects of which Flux owns some fields only: the rest is there already, so little is required (`isRequired`). */
const MERGED = 'kustomize.toolkit.fluxcd.io/ssa';

/** Groups whose kinds Kubernetes itself serves. */
const BUILT_IN = /^([a-z]+|[a-z.]+\.k8s\.io)$/;

/**
 * What a part of an object must have all the same. Flux reads it as one of Kubernetes' own types before it applies it (normalize in
 * github.com/fluxcd/pkg/ssa), which makes null of a workload's missing selector: the API refuses that.
 */
function isRequired({ missingProperty }: Record<string, unknown>): boolean {
  return missingProperty === 'selector';
}

/**
 * The schemas of everything in the tree: Kubernetes' own kinds as PyPI's kubernetes-validate carries them, strict and for each
 * supported minor, and the custom ones.
 */
export class Schemas {
  private readonly validators = new Map<string, ValidateFunction | undefined>();
  private readonly engines = new Map<string, Ajv2020>();

  private constructor(
    private readonly folder: string,
    private readonly custom: CustomSchemas,
  ) {}

  /** @param virtualEnvironment where lib/platform/requirements.txt is installed (see local/run/python.ts) */
  static async load(virtualEnvironment: string): Promise<Schemas> {
    return new Schemas(schemaFolder(virtualEnvironment), await CustomSchemas.load());
  }

  /** What is wrong with an object, in any supported minor; empty if nothing is. */
  validate(manifest: Manifest): string[] {
    const group = groupOf(manifest.apiVersion);
    if (group !== '' && !BUILT_IN.test(group)) return this.custom.validate(manifest);
    return KUBERNETES_MINORS.flatMap((minor) => this.validateFor(minor, manifest));
  }

  private validateFor(minor: string, manifest: Manifest): string[] {
    const validator = this.validatorOf(minor, manifest);
    if (!validator) return [`Kubernetes ${minor} has no ${manifest.kind} of ${manifest.apiVersion}`];
    const isValid: boolean = validator.call(undefined, manifest);
    if (isValid) return [];
    const errors = validator.errors ?? [];
    const isPartial = manifest.metadata.annotations?.[MERGED] === 'Merge';
    return errors
      .filter(({ keyword, params }) => !isPartial || keyword !== 'required' || isRequired(params))
      .map(({ instancePath, message, params }) => {
        const detail = 'additionalProperty' in params ? ` (${String(params.additionalProperty)})` : '';
        return `${minor}: ${instancePath || '/'} ${message ?? 'is wrong'}${detail}`;
      });
  }

  private validatorOf(minor: string, { apiVersion, kind }: Manifest): ValidateFunction | undefined {
    const key = `${minor} ${apiVersion} ${kind}`;
    if (!this.validators.has(key)) this.validators.set(key, this.compile(minor, apiVersion, kind));
    return this.validators.get(key);
  }

  private compile(minor: string, apiVersion: string, kind: string): ValidateFunction | undefined {
    // The package's file names: `deployment-apps-v1.json`, `networkpolicy-networking-v1.json`, `service-v1.json`.
    const version = apiVersion.replace(/^([^./]*)(?:\.[^/]*)?\//, '$1-');
    const file = path.join(this.folder, `v${minor}.0-local-strict`, `${kind.toLowerCase()}-${version}.json`);
    if (!existsSync(file)) return undefined;
    return this.engineOf(minor).compile(JSON.parse(readFileSync(file, 'utf8')) as object);
  }

  private engineOf(minor: string): Ajv2020 {
    const known = this.engines.get(minor);
    if (known) return known;
    const engine = new Ajv2020({ strict: false, allErrors: true, validateFormats: true, logger: false });
    addFormats(engine);
    const definitions = path.join(this.folder, `v${minor}.0-local-strict`, '_definitions.json');
    engine.addSchema(JSON.parse(readFileSync(definitions, 'utf8')) as object, '/api/_definitions.json');
    this.engines.set(minor, engine);
    return engine;
  }
}

function schemaFolder(virtualEnvironment: string): string {
  const lib = path.join(virtualEnvironment, 'lib');
  const python = readdirSync(lib).find((name) => name.startsWith('python3'));
  return path.join(lib, python ?? '', 'site-packages', 'kubernetes_validate', 'kubernetes-json-schema');
}
