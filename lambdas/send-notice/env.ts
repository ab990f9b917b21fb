import * as z from 'zod';
import { webhooksEnv } from '../../core/news/webhooks';
import { clusterEnv } from '../shared/step/env';

export const env = clusterEnv.extend({
  ...webhooksEnv.shape,
  /** Path of the parameters that hold the webhooks' addresses. */
  WEBHOOK_PARAMETER_ROOT: z.string().startsWith('/'),
});
