import type * as z from 'zod';
import type { ClusterRecord } from '../../core/record/cluster-record';
import type { env } from './env';

export type AccessEnv = Pick<z.output<typeof env>, 'APP_URL' | 'PROBE' | 'API_ACCESS'>;

/** How people reach what is in the cluster: the app by its address, and whether it answers; the Kubernetes API by a command. */
export function describeAccess(
  { APP_URL, PROBE, API_ACCESS }: AccessEnv,
  { state, unreachable }: Pick<ClusterRecord, 'state' | 'unreachable'>,
) {
  // Of the time before the wake nothing can be said, and of what nobody looked at neither.
  const seen = PROBE !== 'none' && (state === 'awake' || state === 'awake-degraded');
  return {
    app: {
      ...(APP_URL !== '' && { url: APP_URL }),
      ...(seen && { answers: unreachable === undefined }),
      ...(seen && unreachable !== undefined && { reason: unreachable }),
    },
    kubernetesApi: {
      through: API_ACCESS,
      command: API_ACCESS === 'tunnel' ? 'drowse tunnel' : 'drowse kubeconfig',
    },
  };
}
