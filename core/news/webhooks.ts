import * as z from 'zod';
import { parseJson } from '../parse-json';

/** Where news go beside e-mail, as the configuration names it. */
export const webhook = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,29}$/, 'use up to 30 lower-case letters, digits and dashes')
    .describe('Names the parameter that holds its address: webhook/<name>'),
  kind: z.enum(['slack', 'teams', 'https']).describe('What it takes: a message of Slack or Teams, or signed JSON'),
});
export type Webhook = z.output<typeof webhook>;

/** Environment of the function that sends news to webhooks. */
export const webhooksEnv = z.object({ WEBHOOKS: z.preprocess(parseJson, z.array(webhook)) });

/** What its parameter holds: an address, or for signed JSON the address and the secret that signs. */
export const webhookTarget = z.union([
  z.url({ protocol: /^https$/ }).transform((url) => ({ url, secret: undefined })),
  z.preprocess(parseJson, z.strictObject({ url: z.url({ protocol: /^https$/ }), secret: z.string().min(16) })),
]);

/** A piece of news, as the topic has it. */
export interface News {
  cluster: string;
  id: string;
  subject: string;
  text: string;
  /** UTC ISO time. */
  at: string;
}

/** Longest text that goes into a chat (characters): news are short, and a chat is not a log. */
const CHAT_LENGTH = 2_500;

/** The body of the request that tells news, as each kind of webhook takes it. */
export function bodyFor(kind: Webhook['kind'], { cluster, id, subject, text, at }: News): object {
  const short = text.length > CHAT_LENGTH ? `${text.slice(0, CHAT_LENGTH)} …` : text;
  if (kind === 'slack') return { text: `*${forSlack(subject)}*\n${forSlack(short)}` };
  if (kind === 'https') return { cluster, id, subject, text, at };
  const block = (said: string, more: object = {}) => ({ type: 'TextBlock', text: said, wrap: true, ...more });
  const card = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    body: [block(subject, { weight: 'Bolder' }), block(short)],
  };
  return { type: 'message', attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', content: card }] };
}

/** Slack's own three characters; what stands between `<` and `>` would be a link or call somebody. */
function forSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
