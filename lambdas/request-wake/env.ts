import * as z from 'zod';
import { storeEnv } from '../shared/step/env';

export const env = storeEnv.extend({
  /** ARN of the wake state machine. */
  WAKE_MACHINE_ARN: z.string().startsWith('arn:'),
});
