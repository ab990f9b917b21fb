import type { HttpsAnswer, HttpsRequest, Web } from '../lambdas/shared/clients/https';
import { TAG } from '../core/config/names';
import type { Ec2 } from './aws/ec2';
import type { InCluster } from './in-cluster';

/** How long a handshake and an answer take (ms). */
const ANSWER_MS = 150;
/** Before somebody gives up who gets no answer (ms). */
const SILENCE_MS = 8_000;

/** The app as it looks from outside: whatever carries the Elastic IP answers, once the platform is there. */
export class Outside implements Web {
  /** What the app answers; tests change it. */
  answer: HttpsAnswer = {
    status: 200,
    location: undefined,
    certificate: { validTo: '2099-01-01T00:00:00.000Z', hostProblem: undefined, chainProblem: undefined },
  };
  /** False: nobody gets through, whatever runs. */
  reachable = true;
  readonly requests: HttpsRequest[] = [];

  constructor(
    private readonly ec2: Ec2,
    private readonly inside: InCluster,
  ) {}

  async get(request: HttpsRequest): Promise<HttpsAnswer> {
    this.requests.push(request);
    const up = this.reachable && this.isUp(request);
    await new Promise((resolve) => setTimeout(resolve, up ? ANSWER_MS : SILENCE_MS));
    if (!up) throw new Error(`no answer within ${String(SILENCE_MS / 1000)} s`);
    return structuredClone(this.answer);
  }

  private isUp({ address, port }: HttpsRequest): boolean {
    const { publicIp, instanceId } = this.ec2.address ?? {};
    if (address !== publicIp || port !== 443 || instanceId === undefined) return false;
    const { state, tags } = this.ec2.get(instanceId);
    return state === 'running' && tags[TAG.phase] === 'ready' && this.inside.platform.at !== undefined;
  }
}
