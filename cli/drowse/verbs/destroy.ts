import { destroy as destroyCluster, type DestroyOptions as Destruction } from '../../destroy/destroy';
import { EXIT } from '../../terminal/errors';
import { answer } from '../answers';
import { explainAws } from '../explain-aws';

export interface DestroyOptions extends Destruction {
  json?: boolean;
}

/** Deletes a cluster's stacks, and says what stays and what that costs. */
export async function destroy(options: DestroyOptions, signal: AbortSignal): Promise<number> {
  signal.throwIfAborted();
  const say = (line: string): void => (options.json ? console.error(line) : console.log(line));
  const { cluster, left } = await destroyCluster(options, say).catch((error: unknown) => {
    throw explainAws(error, 'destroy');
  });
  if (options.json) {
    answer('destroy', { cluster, left });
    return EXIT.done;
  }
  if (left.length === 0) say('Nothing of the cluster is left.');
  else {
    say(['What stays, for the next deployment, and is billed:', ...left].join('\n  '));
    say('drowse deploy brings the cluster back with it; drowse destroy --data deletes it for good.');
  }
  return EXIT.done;
}
