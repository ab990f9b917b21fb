import { dnsSuffixOf, partitionOf } from '../facts/regions';
import type { ClusterConfig } from './schema';

/** What the names of registries of ECR end with, in all regions where a cluster may be. */
const SUFFIX = dnsSuffixOf('us-east-1');

/** A repository of ECR as images name it: account, region, and the repository's name, which may end in `*`. */
export const ECR_REPOSITORY = new RegExp(
  String.raw`^(\d{12})\.dkr\.ecr\.([a-z]{2}(?:-[a-z]+)+-\d)\.${SUFFIX.replace('.', String.raw`\.`)}\/([a-z0-9][a-z0-9._/-]*\*?|\*)$`,
);

/** One of them, for who has to mend another. */
export const ECR_EXAMPLE = `123456789012.dkr.ecr.us-east-1.${SUFFIX}/team/*`;

/** All images of ECR, as `matchImages` of a kubelet's credential providers takes them. */
export const ECR_IMAGES = `*.dkr.ecr.*.${SUFFIX}`;

/**
 * ARNs of the repositories that every node may pull from: those of `registries.ecr`, and the app's own if it is in ECR. Sorted, each
 * once.
 */
export function ecrRepositoriesOf({ registries, app }: Pick<ClusterConfig, 'registries' | 'app'>): string[] {
  const arns = [...registries.ecr, app.image ?? ''].flatMap((repository) => {
    const [, account = '', region = '', name] = ECR_REPOSITORY.exec(repository) ?? [];
    return name === undefined ? [] : [`arn:${partitionOf(region)}:ecr:${region}:${account}:repository/${name}`];
  });
  return [...new Set(arns)].sort();
}
