import { parse } from 'yaml';
import * as z from 'zod';

/** The file that says what runs, below the top of the repository. */
export const RELEASE_FILE = 'platform/apps/ghibli/release/kustomization.yaml';

const kustomization = z.object({ patches: z.tuple([z.object({ patch: z.string() })]) });
const operations = z.tuple([
  z.object({ path: z.literal('/spec/replicas'), value: z.int() }),
  z.object({ path: z.literal('/spec/template/spec/containers/0/image'), value: z.string() }),
]);

/** What runs: an image, and whether at all. */
export interface Release {
  image: string;
  replicas: number;
}

/** The release file for an image. */
export function writeRelease(image: string): string {
  return `# What runs now. \`make app-deploy\` writes this file.
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
patches:
  - target:
      kind: Deployment
      name: ghibli
    patch: |
      - op: add
        path: /spec/replicas
        value: 1
      - op: replace
        path: /spec/template/spec/containers/0/image
        value: ${image}
`;
}

/** Reads a release file. */
export function readRelease(text: string): Release {
  const { patches } = kustomization.parse(parse(text));
  const [replicas, image] = operations.parse(parse(patches[0].patch));
  return { image: image.value, replicas: replicas.value };
}

/** A tag that sorts by time and names its commit: `20261120T183000Z-1a2b3c4d5e6f`. */
export function tagFor(now: Date, commit: string, dirty: boolean): string {
  const stamp = now
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(/[-:]/g, '');
  return `${stamp}-${commit}${dirty ? '-dirty' : ''}`;
}
