import * as z from 'zod';
import { web } from '../shared/clients/clients';
import type { ClusterStore } from '../shared/record/cluster-store';
import { leased } from '../../core/record/contracts';
import { clusterStore } from '../shared/step/deps';
import { AppNotReachable } from '../shared/step/errors';
import type { HttpsAnswer, Web } from '../shared/clients/https';
import { step } from '../shared/step/step';
import { checkCertificate, checkStatus } from '../shared/readiness/checks';
import { env } from './env';

const input = leased.pick({ execution: true }).extend({
  /** What VerifyElasticIp saw. */
  elasticIp: z.object({ publicIp: z.string(), instanceId: z.string().optional() }),
  /** What WaitForNodes left. */
  nodes: z.object({ missing: z.int() }).optional(),
});

interface Deps {
  web: Web;
  probe: z.output<typeof env>['PROBE'];
  host: string;
  path: string;
  certificates: z.output<typeof env>['CERTIFICATES'];
  /** Asked in place of the Elastic IP. */
  ingress: string | undefined;
  store: ClusterStore;
  now?: () => number;
}

/** HTTPS at the Elastic IP. */
const PORT = 443;
const TIMEOUT_MS = 8_000;

/**
 * Looks at the app as its users do: over HTTPS at the Elastic IP, by its own name. That every node is ready says nothing
 * of a certificate that expired during the sleep, or of an ingress that nobody reaches.
 * @throws AppNotReachable, CertificateExpired, CertificateNotValid until all is well; each may pass
 */
export const probeApp =
  ({ web, probe, host, path, certificates, ingress, store, now = Date.now }: Deps) =>
  async ({ elasticIp, nodes }: z.output<typeof input>): Promise<{ status?: number }> => {
    if (probe === 'none' || elasticIp.instanceId === undefined) return {};
    const [address = '', port = PORT] = ingress?.split(':') ?? [elasticIp.publicIp];
    const url = `https://${host}${path} at ${elasticIp.publicIp}`;
    let answer: HttpsAnswer;
    try {
      answer = await web.get({ address, port: Number(port), host, path, timeoutMs: TIMEOUT_MS });
    } catch (error) {
      throw new AppNotReachable(`${url}: ${(error as Error).message}`, { cause: error });
    }
    if (probe === 'ingress') return { status: answer.status };
    checkCertificate(answer.certificate, { host, trusted: certificates === 'letsencrypt', now: now() });
    // For the rehearsal of the next wake, which finds nobody at work.
    await store.recordCertificate(answer.certificate.validTo);
    // What runs on nodes that are not there does not answer; that the cluster goes without them is known.
    if ((nodes?.missing ?? 0) === 0) checkStatus(answer, url, host);
    return { status: answer.status };
  };

export const handler = step(
  {
    name: 'probe-app',
    input,
    env,
    deps: (env) => ({
      web: web(),
      probe: env.PROBE,
      host: env.APP_HOST,
      path: env.PROBE_PATH,
      certificates: env.CERTIFICATES,
      ingress: env.DROWSE_INGRESS,
      store: clusterStore(env),
    }),
  },
  probeApp,
);
