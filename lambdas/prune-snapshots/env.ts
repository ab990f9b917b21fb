import * as z from 'zod';
import { bucketEnv } from '../shared/step/env';

const days = z.coerce.number().int().min(1);

export const env = bucketEnv.extend({
  /** Days for which the newest snapshot of each hour is kept. */
  KEEP_HOURLY_DAYS: days,
  /** Days for which the newest of each day is kept, and each that a person took. */
  KEEP_DAILY_DAYS: days,
});
