import { createHmac } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { GetParameterCommand, type SSMClient } from '@aws-sdk/client-ssm';
import * as z from 'zod';
import { bodyFor, type News, type Webhook, webhookTarget } from '../../core/news/webhooks';
import { ssm } from '../shared/clients/clients';
import { logger } from '../shared/clients/logger';
import { check } from '../shared/step/check';
import { step } from '../shared/step/step';
import { env } from './env';

/** What SNS hands over. */
const input = z.object({
  Records: z.array(
    z.object({
      Sns: z.object({
        MessageId: z.string(),
        Subject: z.string().nullish(),
        Message: z.string(),
        Timestamp: z.string(),
      }),
    }),
  ),
});

/** No webhook took the news: Lambda calls again, twice. */
export class NoticeNotSent extends Error {
  override readonly name = 'NoticeNotSent';
}

/** What a webhook's parameter holds is no address. */
export class InvalidWebhook extends Error {
  override readonly name = 'InvalidWebhook';
}

const ATTEMPTS = 3;
const TIMEOUT_MS = 5_000;

interface Deps {
  cluster: string;
  webhooks: readonly Webhook[];
  root: string;
  ssm: SSMClient;
  post?: (url: string, init: RequestInit) => Promise<{ ok: boolean; status: number }>;
  wait?: (ms: number) => Promise<unknown>;
  now?: () => number;
}

/**
 * Passes news of the cluster's topic on to the webhooks of the configuration. Each is tried a few times; one that does not
 * take it keeps the others from nothing.
 */
export const sendNotice =
  (deps: Deps) =>
  async ({ Records }: z.output<typeof input>): Promise<{ sent: string[] }> => {
    const sent: string[] = [];
    for (const { Sns } of Records) {
      const { MessageId: id, Subject, Message: text, Timestamp: at } = Sns;
      const news = { cluster: deps.cluster, id, subject: Subject ?? `News of ${deps.cluster}`, text, at };
      const outcomes = await Promise.allSettled(deps.webhooks.map((webhook) => send(deps, webhook, news)));
      outcomes.forEach((outcome, index) => {
        const name = deps.webhooks[index]?.name ?? '';
        if (outcome.status === 'fulfilled') sent.push(name);
        else logger.error('Webhook did not take the news', { webhook: name, error: outcome.reason as Error });
      });
    }
    // Of several some have it: once more would tell those twice.
    if (sent.length === 0 && deps.webhooks.length > 0)
      throw new NoticeNotSent('No webhook took the news; its log says why');
    return { sent };
  };

async function send(deps: Deps, { name, kind }: Webhook, news: News): Promise<void> {
  const { post = fetch, wait = pause, now = Date.now } = deps;
  const Name = `${deps.root}/${name}`;
  const { Parameter } = await deps.ssm.send(new GetParameterCommand({ Name, WithDecryption: true }));
  const { url, secret } = check(webhookTarget, Parameter?.Value ?? '', InvalidWebhook, `parameter ${Name}`);
  if (kind === 'https' && secret === undefined) {
    throw new InvalidWebhook(`The parameter ${Name} has no secret to sign with: put {"url": …, "secret": …} into it`);
  }
  const body = JSON.stringify(bodyFor(kind, news));
  for (let attempt = 1; ; attempt += 1) {
    const headers = { 'content-type': 'application/json', ...(secret !== undefined && signed(secret, body, now())) };
    const refused = await post(url, {
      ...{ method: 'POST', body, headers, redirect: 'error' },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).then(
      ({ ok, status }) => (ok ? undefined : `status ${status}`),
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    if (refused === undefined) return;
    // The address is a secret: it stands in no error.
    if (attempt === ATTEMPTS) throw new NoticeNotSent(`${name} does not take it: ${refused}`);
    await wait(500 * 2 ** attempt);
  }
}

/** Headers by which a receiver knows that it is ours, and not older than a few minutes. */
function signed(secret: string, body: string, now: number): Record<string, string> {
  const timestamp = String(Math.floor(now / 1000));
  const signature = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
  return { 'drowse-timestamp': timestamp, 'drowse-signature': `v1=${signature}` };
}

export const handler = step(
  {
    name: 'send-notice',
    input,
    env,
    deps: (env) => ({
      cluster: env.CLUSTER_NAME,
      webhooks: env.WEBHOOKS,
      root: env.WEBHOOK_PARAMETER_ROOT,
      ssm: ssm(),
    }),
    renewsLease: false,
  },
  sendNotice,
);
