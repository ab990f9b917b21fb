import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import { logger } from '../clients/logger';
import type { Notification, Outbox } from './outbox';

export type { Notification } from './outbox';

/** Where the cluster's news go. */
export interface NotifyDeps {
  outbox: Outbox;
  sns: SNSClient;
  topicArn: string;
}

/** SNS refuses a longer subject. */
const SUBJECT_LENGTH = 100;

/**
 * Tells whoever subscribed to the cluster's topic, once however often it is called: the news is written down first, and
 * sent until it is. A step's work is done by then: news that can't be sent now fails nothing, look-after sends it.
 * @param id what happened, the same for every attempt to tell of it
 */
export async function notify(deps: NotifyDeps, id: string, news: Notification): Promise<void> {
  try {
    if (!(await deps.outbox.take(id, news))) return;
  } catch (error) {
    // Told without a note of it is better than not told.
    logger.error('News not written down', { subject: news.subject, error: error as Error });
  }
  try {
    await publish(deps, news);
    await deps.outbox.markSent(id);
  } catch (error) {
    logger.error('Notification not sent', { subject: news.subject, error: error as Error });
  }
}

/** Sends what was written down and not sent, and forgets what was sent long ago. */
export async function sendUnsent(deps: NotifyDeps): Promise<number> {
  const { unsent, outdated } = await deps.outbox.look();
  for (const { id, ...news } of unsent) await notify(deps, id, news);
  if (outdated.length > 0) await deps.outbox.forget(outdated);
  return unsent.length;
}

async function publish({ sns, topicArn }: NotifyDeps, { subject, text }: Notification): Promise<void> {
  await sns.send(new PublishCommand({ TopicArn: topicArn, Subject: toSubject(subject), Message: text }));
}

/** A length of time as people say it: `45 s`, `4 min 10 s`, `2 h 5 min`. */
export function inWords(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const minutes = Math.floor(seconds / 60);
  if (minutes === 0) return `${seconds} s`;
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A subject as SNS takes it: printable ASCII in one line, and no more than it allows. */
function toSubject(subject: string): string {
  const ascii = subject
    .normalize('NFKD')
    .replace(/\p{Mark}/gu, '')
    .replace(/\s+/g, ' ')
    .replace(/[^ -~]/g, '?')
    .trim();
  return ascii.length > SUBJECT_LENGTH ? `${ascii.slice(0, SUBJECT_LENGTH - 3)}...` : ascii;
}
