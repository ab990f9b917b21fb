import * as z from 'zod';
import { idleEnv } from '../../core/schedule/idle';
import { noticeLinkEnv, notifyEnv } from '../shared/step/env';

export const env = notifyEnv
  .extend(idleEnv.shape)
  .extend(noticeLinkEnv.shape)
  .extend({
    /** ARN of the sleep state machine. */
    SLEEP_MACHINE_ARN: z.string().startsWith('arn:'),
  });
