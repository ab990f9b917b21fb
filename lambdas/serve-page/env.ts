import * as z from 'zod';
import { ratesEnv } from '../../core/cost/rates';
import { bookEnv } from '../../core/schedule/book';
import { idleEnv } from '../../core/schedule/idle';
import { storeEnv } from '../shared/step/env';

export const env = storeEnv.extend({
  ...bookEnv.shape,
  ...ratesEnv.shape,
  ...idleEnv.shape,
  /** ARNs of the state machines that the page starts, and whose executions may wait for their turn. */
  WAKE_MACHINE_ARN: z.string().startsWith('arn:'),
  SLEEP_MACHINE_ARN: z.string().startsWith('arn:'),
  /** Name of the parameter that holds the key of links. */
  LINK_KEY_PARAMETER: z.string().startsWith('/'),
  /** Where the app is, for example `https://app.example.org/`; empty if it has no name. */
  APP_URL: z.union([z.literal(''), z.url({ protocol: /^https$/ })]),
});
