import * as z from 'zod';
import { runningEnv } from '../../core/cost/running';
import { bookEnv } from '../../core/schedule/book';
import { storeEnv } from '../shared/step/env';

export const env = storeEnv.extend({
  ...bookEnv.shape,
  ...runningEnv.shape,
  /** ARNs of the state machines whose executions may wait for their turn. */
  WAKE_MACHINE_ARN: z.string().startsWith('arn:'),
  SLEEP_MACHINE_ARN: z.string().startsWith('arn:'),
  /** Where the app is, for example `https://app.example.org/`; empty if it has no name. */
  APP_URL: z.union([z.literal(''), z.url({ protocol: /^https$/ })]),
  /** What a wake looks for from outside; `none` if nothing. */
  PROBE: z.string().min(1),
  API_ACCESS: z.enum(['load-balancer', 'tunnel']),
});
