import * as z from 'zod';
import { runningEnv } from '../../core/cost/running';
import { bookEnv } from '../../core/schedule/book';
import { apiAccess, appEnv, storeEnv } from '../shared/step/env';

export const env = storeEnv.extend({
  ...bookEnv.shape,
  ...runningEnv.shape,
  ...appEnv.shape,
  /** ARNs of the state machines whose executions may wait for their turn. */
  WAKE_MACHINE_ARN: z.string().startsWith('arn:'),
  SLEEP_MACHINE_ARN: z.string().startsWith('arn:'),
  /** What a wake looks for from outside; `none` if nothing. */
  PROBE: z.string().min(1),
  API_ACCESS: apiAccess,
});
