import * as z from 'zod';
import { bookEnv } from '../../core/schedule/book';
import { storeEnv } from '../shared/step/env';

export const env = storeEnv.extend({
  ...bookEnv.shape,
  /** ARNs of the state machines whose executions may wait for their turn. */
  WAKE_MACHINE_ARN: z.string().startsWith('arn:'),
  SLEEP_MACHINE_ARN: z.string().startsWith('arn:'),
});
