import * as z from 'zod';
import { storeEnv } from '../shared/step/env';

export const env = storeEnv.extend({
  /** How much must be right: the app's own page, any answer of the ingress, or nothing. */
  PROBE: z.enum(['app', 'ingress', 'none']),
  /** Host name of the app. */
  APP_HOST: z.string().min(1),
  /** Path of the app that answers once it is up. */
  PROBE_PATH: z.string().startsWith('/'),
  /** Who signs its certificate. */
  CERTIFICATES: z.enum(['letsencrypt', 'letsencrypt-staging', 'self-signed']),
  /** `<address>:<port>` in place of the Elastic IP's own: set by an emulator, whose addresses lead nowhere. */
  DROWSE_INGRESS: z
    .string()
    .regex(/^[\w.]+:\d+$/)
    .optional(),
});
