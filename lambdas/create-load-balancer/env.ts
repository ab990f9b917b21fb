import * as z from 'zod';
import { storeEnv } from '../shared/step/env';

export const env = storeEnv.extend({
  /** How people reach the API; with `tunnel` there is no load balancer to make. */
  API_ACCESS: z.enum(['load-balancer', 'tunnel']),
  /** Public subnets of the load balancer, separated by commas. */
  SUBNET_IDS: z.string().min(1),
  /** Security group that lets the operator's addresses in. */
  SECURITY_GROUP_ID: z.string().startsWith('sg-'),
  /** Target group with the seats' fixed addresses. */
  TARGET_GROUP_ARN: z.string().startsWith('arn:'),
});
