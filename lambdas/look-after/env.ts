import * as z from 'zod';
import { bookEnv } from '../../core/schedule/book';
import { costEnv, elasticIpEnv, loadBalancerEnv, noticeLinkEnv } from '../shared/step/env';

const machine = z.string().startsWith('arn:');

const known = costEnv.extend(elasticIpEnv.shape).extend(loadBalancerEnv.shape);

export const env = known.extend(bookEnv.shape).extend(noticeLinkEnv.shape).extend({
  /** ARNs of the state machines that it starts, or whose executions it looks for. */
  SLEEP_MACHINE_ARN: machine,
  WAKE_MACHINE_ARN: machine,
  BOOTSTRAP_MACHINE_ARN: machine,
  RECOVER_POOLS_MACHINE_ARN: machine,
  JOIN_NODE_MACHINE_ARN: machine,
});
