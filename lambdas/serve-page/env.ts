import * as z from 'zod';
import { ratesEnv } from '../../core/cost/rates';
import { bookEnv } from '../../core/schedule/book';
import { idleEnv } from '../../core/schedule/idle';
import { appEnv, storeEnv } from '../shared/step/env';

export const env = storeEnv.extend({
  ...bookEnv.shape,
  ...ratesEnv.shape,
  ...idleEnv.shape,
  ...appEnv.shape,
  /** ARNs of the state machines that the page starts, and whose executions may wait for their turn. */
  WAKE_MACHINE_ARN: z.string().startsWith('arn:'),
  SLEEP_MACHINE_ARN: z.string().startsWith('arn:'),
  /** Name of the parameter that holds the key of links. */
  LINK_KEY_PARAMETER: z.string().startsWith('/'),
});
