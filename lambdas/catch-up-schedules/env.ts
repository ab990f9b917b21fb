import * as z from 'zod';
import { bookEnv } from '../../lib/schedule/book';
import { storeEnv } from '../shared/env';

export const env = storeEnv.extend(bookEnv.shape).extend({
  /** ARNs of the state machines that schedules start. */
  SLEEP_MACHINE_ARN: z.string().startsWith('arn:'),
  WAKE_MACHINE_ARN: z.string().startsWith('arn:'),
});
