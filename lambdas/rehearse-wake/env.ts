import * as z from 'zod';
import { bucketEnv, notifyEnv } from '../shared/step/env';

export const env = bucketEnv.extend({
  ...notifyEnv.shape,
  /** Host name of the app; empty without one. */
  DOMAIN: z.string(),
  /** Who signs the app's certificate. */
  CERTIFICATES: z.enum(['letsencrypt', 'letsencrypt-staging', 'self-signed']),
  /** Addresses of packages, charts and images, with blanks in between. */
  SOURCES: z.string().transform((text) => text.split(' ').filter(Boolean)),
  /** Whether CloudFront is to stand there. */
  WAITING_PAGE: z.stringbool(),
});
