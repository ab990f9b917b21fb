import * as z from 'zod';
import { storeEnv } from '../shared/step/env';

export const env = storeEnv.extend({
  /** Name of the parameter that holds the key of links. */
  LINK_KEY_PARAMETER: z.string().startsWith('/'),
  /** The KMS key that seals it: an alias or an ARN. */
  KMS_KEY_ID: z.string().min(1),
});
