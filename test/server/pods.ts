import { setTimeout as sleep } from 'node:timers/promises';
import { at, nameOf, type Manifest } from '../../lib/platform/manifest';
import { get } from './kubectl';

/** How long the controllers may take: a bound for what hangs. */
const SECONDS = 300;

/** Whether a workload's controller has looked at it as it is now, and has made pods of it. */
function hasPods(workload: Manifest): boolean {
  const status = (field: string) => Number(at(workload, 'status', field) ?? 0);
  if (workload.kind === 'Job')
    return at(workload, 'spec', 'suspend') === true || status('active') + status('succeeded') > 0;
  if (at(workload, 'status', 'observedGeneration') !== at(workload, 'metadata', 'generation')) return false;
  if (workload.kind === 'DaemonSet') {
    if (at(workload, 'spec', 'template', 'spec', 'nodeSelector', 'kubernetes.io/os') === 'windows') return true;
    // None wanted means that no node fits, and so that nothing was tried.
    return status('desiredNumberScheduled') > 0 && status('updatedNumberScheduled') > 0;
  }
  const wanted = Number(at(workload, 'spec', 'replicas') ?? 1);
  return status('updatedReplicas') >= Math.min(1, wanted);
}

/** Why a workload has no pod, as its controllers say in events. */
function reason(workload: Manifest, events: readonly Manifest[]): string {
  const { name, namespace } = workload.metadata;
  const told = events.filter((event) => {
    const about = String(at(event, 'involvedObject', 'name'));
    const isSame = event.metadata.namespace === namespace && at(event, 'type') === 'Warning';
    return isSame && (about === name || about.startsWith(`${name}-`));
  });
  const last = told.at(-1);
  return last === undefined ? 'no event says why' : String(last.message);
}

/** Waits for the controllers; returns a line for each workload of which no pod was admitted. */
export async function podsMissing(): Promise<string[]> {
  const until = Date.now() + SECONDS * 1000;
  for (;;) {
    const without = ['deployments', 'daemonsets', 'statefulsets', 'jobs'].flatMap(get).filter((one) => !hasPods(one));
    if (without.length === 0) return [];
    if (Date.now() > until) {
      const events = get('events');
      return without.map((workload) => `${nameOf(workload)}: ${reason(workload, events)}`);
    }
    await sleep(1000);
  }
}
