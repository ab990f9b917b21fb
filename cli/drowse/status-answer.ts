import * as z from 'zod';

/** A pool or seat that is not whole, and why. */
const shortage = z.looseObject({ pool: z.string(), reason: z.string() });

const event = z.looseObject({
  at: z.string(),
  local: z.string(),
  timeZone: z.string(),
  workflow: z.enum(['sleep', 'wake']),
  schedule: z.string(),
  skipped: z.looseObject({ message: z.string() }).optional(),
});

/** How much longer something takes (s): half of the past runs were done within the first, nine of ten within the second. */
export const estimate = z.looseObject({
  secondsLeft: z.number(),
  secondsLeftAtMost: z.number(),
  runs: z.number(),
  late: z.boolean(),
});
export type Estimate = z.output<typeof estimate>;

const waiting = z.looseObject({
  workflow: z.string(),
  execution: z.string(),
  since: z.string(),
  behind: z.looseObject({ workflow: z.string(), since: z.string() }).optional(),
  estimate: estimate.optional(),
});

const running = z.looseObject({
  workflow: z.string(),
  step: z.string(),
  since: z.string(),
  requestedBy: z.string(),
  execution: z.string(),
  ended: z.string().optional(),
  reason: z.string().optional(),
  usualSeconds: z.number().optional(),
  estimate: estimate.optional(),
  console: z.string().optional(),
  states: z.array(z.looseObject({ name: z.string(), since: z.string(), usualSeconds: z.number().optional() })),
});

/** What `GET /status` answers, as far as the command reads it (`lambdas/get-status`). */
export const statusAnswer = z.looseObject({
  cluster: z.string(),
  state: z.string(),
  since: z.string().optional(),
  running: running.optional(),
  waiting: z.array(waiting).default([]),
  failure: z
    .looseObject({
      workflow: z.string(),
      step: z.string(),
      error: z.string(),
      cause: z.string(),
      at: z.string(),
      execution: z.string(),
      log: z.string().optional(),
      runbook: z.string().optional(),
    })
    .optional(),
  degraded: z.array(shortage).optional(),
  shortages: z.array(shortage).optional(),
  unreachable: z.string().optional(),
  warnings: z.array(z.string()).optional(),
  snapshot: z.looseObject({ key: z.string(), at: z.string() }).optional(),
  platformAt: z.string().optional(),
  schedule: z.looseObject({
    next: z.array(event),
    keepAwakeUntil: z.string().optional(),
    idleSleepAt: z.string().optional(),
    postponedUntil: z.string().optional(),
  }),
  usualSeconds: z.looseObject({ wake: z.number().optional(), sleep: z.number().optional() }),
  nodes: z.array(
    z.looseObject({
      id: z.string(),
      type: z.string(),
      role: z.enum(['seat', 'pool']),
      seat: z.string().optional(),
      pool: z.string().optional(),
      state: z.string(),
      phase: z.string(),
      phaseAt: z.string().optional(),
      publicIp: z.string().optional(),
    }),
  ),
  elasticIp: z.looseObject({ publicIp: z.string().optional(), instanceId: z.string().optional() }).optional(),
  // What follows is missing in answers of earlier versions.
  cost: z.looseObject({ perHour: z.number(), unknown: z.array(z.string()) }).optional(),
  app: z
    .looseObject({ url: z.string().optional(), answers: z.boolean().optional(), reason: z.string().optional() })
    .optional(),
  kubernetesApi: z.looseObject({ through: z.string(), command: z.string() }).optional(),
});
export type Status = z.output<typeof statusAnswer>;
