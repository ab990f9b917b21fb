import * as z from 'zod';
import { idleEnv } from '../../lib/schedule/idle';
import { notifyEnv } from '../shared/env';

export const env = notifyEnv.extend(idleEnv.shape).extend({
  /** ARN of the sleep state machine. */
  SLEEP_MACHINE_ARN: z.string().startsWith('arn:'),
});
