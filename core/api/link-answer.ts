import * as z from 'zod';
import { right } from '../links/link';
import { clusterState } from '../record/contracts';
import { costAnswer, estimateAnswer, scheduleAnswer } from './answers';

const time = z.iso.datetime();

const step = z.object({
  name: z.string().describe('Name of the state on the console'),
  words: z.string(),
  since: time,
  seconds: z.number().optional().describe('How long it took; missing while it is under way'),
  usualSeconds: z.number().optional(),
});

/** `GET /link/status`: all that a link may see. No names of machines, no accounts, no errors' own words. */
export const linkStatusAnswer = z.object({
  cluster: z.string(),
  state: clusterState,
  since: time.optional(),
  now: time,
  person: z.string().describe('Whom the link is for'),
  rights: z.array(right),
  expiresAt: time,
  running: z
    .object({
      workflow: z.string(),
      since: time,
      by: z.string(),
      reason: z.string().optional(),
      cutOff: z.boolean().describe('True if it ended without a word: the next wake takes over'),
      steps: z.array(step),
      estimate: estimateAnswer.optional(),
    })
    .optional(),
  waiting: z.array(z.enum(['wake', 'sleep'])).describe('What waits until `running` has ended'),
  usualWake: z.object({ seconds: z.number(), secondsAtMost: z.number(), runs: z.number() }).optional(),
  failure: z
    .object({ workflow: z.string(), words: z.string(), error: z.string(), at: time, advice: z.string() })
    .optional(),
  missing: z.array(z.string()).describe('Pools that are not up'),
  appAnswers: z.boolean().describe('False if the last wake could not see the app from outside'),
  appUrl: z.string().optional(),
  schedule: scheduleAnswer,
  cost: costAnswer,
  runs: z.array(
    z.object({
      workflow: z.string(),
      startedAt: time,
      seconds: z.number(),
      by: z.string(),
      reason: z.string().optional(),
      outcome: z.enum(['succeeded', 'degraded', 'failed']),
      words: z.string().optional().describe('Where it failed'),
    }),
  ),
});
export type LinkStatus = z.output<typeof linkStatusAnswer>;

/** What of a link is told beside it. */
export type LinkStatusOf = Pick<LinkStatus, 'person' | 'rights' | 'expiresAt'>;
