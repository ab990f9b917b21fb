import * as z from 'zod';
import { bucketEnv, notifyEnv } from '../shared/step/env';

export const env = bucketEnv.extend({
  ...notifyEnv.shape,
  /** Host name of the app; empty without one. */
  DOMAIN: z.string(),
  /** Whether CloudFront is to stand there. */
  WAITING_PAGE: z.stringbool(),
});
