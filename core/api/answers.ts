import * as z from 'zod';
import { right } from '../links/link';
import { failureRecord } from '../record/cluster-record';
import { clusterState, degradedPool, workflow } from '../record/contracts';
import { pastRun } from '../record/past-run';

/** What the HTTP API answers, typed once: its document is made of these schemas, and tests hold the answers to them. */

const time = z.iso.datetime().describe('UTC time, ISO 8601');
const scheduled = z.enum(['sleep', 'wake']);

/** Of every request that is not granted. */
export const problem = z.object({
  error: z.string().describe('Name of the error'),
  message: z.string().describe('What is wrong, and what to do'),
});

/** Of what is done at once. */
const done = z.object({ message: z.string().describe('For a person') });

const event = z.object({
  at: time,
  local: z.string().describe('The same in the schedule’s time zone, without offset'),
  timeZone: z.string(),
  workflow: scheduled,
  schedule: z.string().describe('Name of the schedule'),
  startedBy: z.enum(['schedule', 'catch-up']),
  skipped: z
    .object({ reason: z.string(), message: z.string().describe('For a person') })
    .optional()
    .describe('Why it does not take place'),
});

/** `GET /schedule`, and a part of `GET /status`. */
export const scheduleAnswer = z.object({
  next: z.array(event),
  keepAwakeUntil: time.optional().describe('Until then nothing but a person puts the cluster to sleep'),
  idleSleepAt: time.optional().describe('When it sleeps for lack of use, if nobody comes'),
  postponedUntil: time.optional().describe('Before then it does not sleep for lack of use'),
});

const stepUnderWay = z.object({ name: z.string(), since: time, usualSeconds: z.number().optional() });

/** How much longer something takes, by the last runs that went well. */
export const estimateAnswer = z.object({
  secondsLeft: z.number().describe('Half of the past runs were done within it'),
  secondsLeftAtMost: z.number().describe('Nine of ten were'),
  runs: z.number().describe('Past runs that it is made of'),
  late: z.boolean().describe('True if none took this long'),
});

const consoleUrl = z.url().describe('The execution on the console of Step Functions');

const running = z.object({
  workflow,
  step: z.string().describe('The step begun last'),
  since: z.string(),
  requestedBy: z.string(),
  reason: z.string().optional().describe('Why, in the words of whoever asked'),
  execution: z.string(),
  ended: z.string().optional().describe('How it ended without giving back the lease'),
  usualSeconds: z.number().optional(),
  estimate: estimateAnswer.optional(),
  console: consoleUrl,
  states: z.array(stepUnderWay),
});

/** What something waits for. */
const holder = z.object({ workflow: z.string(), since: time });

const waiting = z.object({
  workflow: z.string(),
  execution: z.string(),
  since: time,
  behind: holder.optional().describe('What it waits for; missing if its turn has come'),
  estimate: estimateAnswer.optional().describe('Until it is done; missing if several wait, which have no order'),
});

const node = z.object({
  id: z.string(),
  type: z.string(),
  role: z.enum(['seat', 'pool']),
  seat: z.string().optional(),
  pool: z.string().optional(),
  ingress: z.boolean(),
  state: z.string(),
  phase: z.string(),
  phaseAt: z.string().optional(),
  publicIp: z.string().optional(),
});

/** `GET /status`. */
export const statusAnswer = z.object({
  cluster: z.string(),
  state: clusterState,
  since: time.optional(),
  running: running.optional(),
  waiting: z.array(waiting).describe('What has been asked for and waits until `running` has ended'),
  failure: failureRecord.optional(),
  degraded: z.array(degradedPool).optional(),
  shortages: z.array(degradedPool).optional(),
  unreachable: z.string().optional().describe('Why the app could not be seen from outside'),
  warnings: z.array(z.string()).optional(),
  snapshot: z.object({ key: z.string(), at: z.string(), bytes: z.number(), sha256: z.string() }).optional(),
  platformAt: z.string().optional(),
  schedule: scheduleAnswer,
  usualSeconds: z.object({ wake: z.number().optional(), sleep: z.number().optional() }),
  nodes: z.array(node),
  elasticIp: z.object({ publicIp: z.string().optional(), instanceId: z.string().optional() }).optional(),
  cost: z
    .object({
      currency: z.literal('USD'),
      perHour: z.number().describe('As it is now: what runs, at list prices, and all around it'),
      unknown: z.array(z.string()).describe('Types that run and have no known price: it is at least so much'),
    })
    .describe('What it costs now'),
  app: z.object({
    url: z.url().optional().describe('Missing without app.domain'),
    answers: z.boolean().optional().describe('As the last wake saw it from outside; missing unless it is awake'),
    reason: z.string().optional().describe('Why it does not'),
  }),
  kubernetesApi: z
    .object({
      through: z.enum(['load-balancer', 'tunnel']),
      command: z.string().describe('What leads kubectl there'),
    })
    .describe('How to reach the Kubernetes API while it is awake'),
});

/** `POST /wake` and `POST /sleep`. */
export const startAnswer = z.object({
  state: clusterState,
  since: time.optional(),
  execution: z.string().optional().describe('ARN of the execution that does it'),
  message: z.string().describe('For a person'),
  behind: holder.optional().describe('What it waits for'),
  estimate: estimateAnswer.optional().describe('Until it is done'),
  look: z
    .object({ status: z.string().describe('What to ask'), console: consoleUrl.optional() })
    .optional()
    .describe('Where to see how far it is'),
});

/** `PUT /keep-awake`. */
export const keepAwakeAnswer = done.extend({ keepAwake: z.object({ until: time }) });
/** `PUT /skip-next`. */
export const skipAnswer = done.extend({
  skipNext: z.object({ workflow: scheduled, schedule: z.string(), at: time }),
});
/** `POST /postpone-sleep`. */
export const postponeAnswer = done.extend({ postponedUntil: time });
export const doneAnswer = done;

/** `GET /runs`. */
export const runsAnswer = z.object({ runs: z.array(pastRun) });

/** `GET /cost`. */
export const costAnswer = z.object({
  currency: z.literal('USD'),
  awakePerHour: z.number(),
  asleepPerHour: z.number(),
  month: z
    .object({
      from: time,
      to: time,
      awakeHours: z.number(),
      asleepHours: z.number(),
      usd: z.number(),
      alwaysOnUsd: z.number(),
      savedUsd: z.number(),
    })
    .describe('This month so far, by the hours on record'),
  bySchedules: z.number().describe('What a month comes to by the schedules alone'),
  notes: z.array(z.string()).describe('What the figures do not know'),
});

const link = z.object({
  id: z.string(),
  name: z.string().describe('Whom it is for'),
  rights: z.array(right),
  expiresAt: time,
});

/** `POST /links`. */
export const newLinkAnswer = done.extend(link.shape).extend({
  secret: z.string().describe('Told once, and kept nowhere: the link is the address of the page, # and this'),
});

const person = z.object({
  user: z.string().describe('What the API server’s audit log calls the caller'),
  groups: z.array(z.string()).describe('Groups of Kubernetes, by `access:` of the configuration'),
});

/** `POST /certificates`, once it is signed. */
export const certificateAnswer = person.extend({
  certificate: z.string().describe('PEM'),
  ca: z.string().describe('The cluster’s authority, PEM'),
  expiresAt: time,
});
/** `POST /certificates`, while a seat signs it. */
export const certificateUnderWay = done.extend(person.shape);

/** `GET /links`. */
export const linksAnswer = z.object({
  links: z.array(
    link.extend({
      createdAt: time,
      createdBy: z.string(),
      revokedAt: time.optional(),
      revokedBy: z.string().optional(),
    }),
  ),
});
