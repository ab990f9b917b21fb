import * as z from 'zod';
import { storeEnv } from '../shared/step/env';

export const env = storeEnv.extend({
  /** ARN of the sleep state machine. */
  SLEEP_MACHINE_ARN: z.string().startsWith('arn:'),
});
