import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import { logger } from './logger';

/** Where the cluster's news go. */
export interface NotifyDeps {
  sns: SNSClient;
  topicArn: string;
}

/** What a person should hear of; plain text, since most will read it as an e-mail. */
export interface Notification {
  subject: string;
  text: string;
}

/** SNS refuses a longer subject. */
const SUBJECT_LENGTH = 100;

/**
 * Tells whoever subscribed to the cluster's topic. A step's work is done by then: news that do not get out are logged,
 * and fail nothing.
 */
export async function notify({ sns, topicArn }: NotifyDeps, { subject, text }: Notification): Promise<void> {
  try {
    await sns.send(new PublishCommand({ TopicArn: topicArn, Subject: toSubject(subject), Message: text }));
  } catch (error) {
    logger.error('Notification not sent', { subject, error: error as Error });
  }
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
