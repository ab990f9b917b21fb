import * as z from 'zod';
import { ratesEnv } from '../../core/cost/rates';
import { costEnv } from '../shared/step/env';

export const env = costEnv.extend({
  ...ratesEnv.shape,
  /** Where the app is, for example `https://app.example.org/`; empty if it has no name. */
  APP_URL: z.union([z.literal(''), z.url({ protocol: /^https$/ })]),
});
