import * as z from 'zod';
import { costAnswer, linksAnswer, newLinkAnswer, startAnswer } from '../../core/api/answers';
import { statusAnswer } from './status-answer';

/**
 * What each verb prints with `--json`, beside those that print what the cluster's API answers as it is. The JSON Schemas of
 * `schemas/drowse.schema.json` are made of them, and the tests hold every answer against them.
 */
const instant = z.iso.datetime();

const run = z.object({
  workflow: z.string().describe('Name of the workflow, for example wake'),
  outcome: z.enum(['succeeded', 'degraded', 'failed', 'running']),
  startedAt: instant,
  endedAt: instant.optional(),
  seconds: z.number().describe('How long it took; of one that runs, so far'),
  requestedBy: z.string().optional(),
  reason: z.string().optional().describe('Why, in the words of whoever asked'),
  step: z.string().optional().describe('Where it failed'),
  error: z.string().optional(),
  cause: z.string().optional(),
  execution: z.string().optional().describe('ARN of the execution, of workflows that leave no record'),
});
export type Run = z.output<typeof run>;

const check = z.object({
  name: z.string(),
  ok: z.boolean(),
  detail: z.string(),
});

const begun = z.object({ execution: z.string() }).describe('With --no-follow: ARN of the execution');
const followed = z.union([statusAnswer, begun]);
const requested = z.union([
  statusAnswer,
  startAnswer.describe('With --no-follow, or if there is nothing to do: what the API answers'),
]);
const override = z.looseObject({ message: z.string().describe('What holds from now on') });
const costs = z.array(z.object({ what: z.string(), perHour: z.number().describe('USD') }));

/** By verb. */
export const ANSWERS = {
  // Of GET /status; with --watch one document a line, whenever something has changed.
  status: statusAnswer,
  nodes: statusAnswer.shape.nodes,
  wake: requested,
  sleep: requested,
  bootstrap: followed,
  platform: followed,
  'keep-awake': override,
  'skip-next': override,
  postpone: override,
  schedule: z.object({
    events: z.array(
      z.looseObject({
        at: z.string().describe('UTC, to the minute'),
        local: z.string(),
        timeZone: z.string(),
        workflow: z.enum(['sleep', 'wake']),
        schedule: z.string(),
        startedBy: z.enum(['schedule', 'catch-up']),
      }),
    ),
    stretches: z.array(z.looseObject({ hours: z.number().optional().describe('None if it never sleeps again') })),
    holidays: z.array(z.object({ date: z.iso.date(), name: z.string() })),
    observances: z.array(z.string()),
    warnings: z.array(z.string()),
  }),
  cost: z.union([
    z.object({
      currency: z.literal('USD'),
      awake: costs,
      asleep: costs,
      awakePerHour: z.number(),
      asleepPerMonth: z.number(),
      unknown: z.array(z.string()).describe('Instance types whose price is not known: the sums are at least so much'),
      month: z.object({ awakeHours: z.number(), bySchedules: z.number(), alwaysOn: z.number() }),
      notes: z.array(z.string()),
    }),
    costAnswer.extend({ held: z.array(z.string()).describe('What bills while it sleeps') }).describe('With --actual'),
  ]),
  link: z.union([
    newLinkAnswer.extend({ url: z.string().describe('The link: whoever has it may do what it allows') }),
    linksAnswer.describe('With --list'),
    z.object({ message: z.string() }).describe('With --revoke or --revoke-all'),
  ]),
  runs: z.array(run).describe('The last runs, newest first'),
  logs: z
    .array(z.object({ at: instant, stream: z.string(), message: z.string() }))
    .describe('What was logged, oldest first; with --follow one object a line'),
  snapshot: z.union([
    z
      .object({ execution: z.string(), status: z.string(), output: z.unknown().optional() })
      .describe('How the workflow ended'),
    z
      .array(
        z.object({
          key: z.string(),
          at: instant,
          reason: z.string(),
          whole: z.boolean().describe('Its manifest, written last, is there'),
        }),
      )
      .describe('With --list: the snapshots in the bucket, newest first'),
  ]),
  restore: z.object({ execution: z.string(), status: z.string(), output: z.unknown().optional() }),
  init: z.object({
    file: z.string(),
    name: z.string(),
    region: z.string(),
    operatorCidrs: z.array(z.string()),
    monthlyUsd: z.number().describe('At list prices, by the schedules'),
  }),
  app: z.object({ image: z.string(), dryRun: z.boolean() }),
  doctor: z.array(
    z.object({
      name: z.string().describe('What was looked at'),
      state: z.enum(['ok', 'warning', 'problem']).describe('problem: the next wake fails'),
      detail: z.string(),
    }),
  ),
  'gpu-test': z.object({
    ok: z.boolean(),
    checks: z.array(check),
    nvidiaSmi: z.string().optional().describe('All that nvidia-smi shows; missing if it did not run'),
  }),
  diagnostics: z.array(z.object({ node: z.string(), file: z.string(), bytes: z.number() })),
  kubeconfig: z
    .looseObject({
      file: z.string(),
      context: z.string(),
      server: z.string(),
      through: z.enum(['load-balancer', 'tunnel']),
      expires: instant.describe('Until when the certificate holds'),
      user: z.string().optional().describe('Who the audit log says you are; missing of the shared administrator'),
      groups: z.array(z.string()).optional(),
    })
    .or(z.looseObject({ kind: z.literal('Config') }).describe('With --stdout: the kubeconfig itself')),
  tunnel: z.object({ server: z.string(), node: z.string() }).describe('Printed when the tunnel is begun'),
  deploy: z.object({ outputs: z.record(z.string(), z.record(z.string(), z.string())).describe('By stack') }),
  destroy: z.object({
    cluster: z.string(),
    left: z.array(z.string()).describe('What stays for the next deployment, and what it costs'),
  }),
} satisfies Readonly<Record<string, z.ZodType>>;

/** Prints what a verb answers. */
export function answer<Verb extends keyof typeof ANSWERS>(_verb: Verb, value: z.input<(typeof ANSWERS)[Verb]>): void {
  console.log(JSON.stringify(value));
}

/** Where the schema of all answers lies in the repository. */
export const ANSWERS_SCHEMA_FILE = 'schemas/drowse.schema.json';

/** The JSON Schema of what each verb prints with `--json`, by verb, below `definitions`. */
export function answersSchema(): object {
  const definitions = Object.entries(ANSWERS).map(([verb, schema]) => {
    const { $schema, ...definition } = z.toJSONSchema(schema, {
      io: 'input',
      target: 'draft-7',
      // Once in the file is enough.
      override: ({ zodSchema, jsonSchema }) => {
        if (zodSchema !== statusAnswer) return;
        for (const key of Object.keys(jsonSchema)) Reflect.deleteProperty(jsonSchema, key);
        jsonSchema.$ref = '#/definitions/state';
      },
    });
    void $schema;
    return [verb, definition] as const;
  });
  const { $schema, ...state } = z.toJSONSchema(statusAnswer, { io: 'input', target: 'draft-7' });
  return {
    $schema,
    title: 'What drowse prints with --json, by verb',
    definitions: { ...Object.fromEntries(definitions), state },
  };
}
