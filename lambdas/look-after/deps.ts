import type { SSMClient } from '@aws-sdk/client-ssm';
import type * as z from 'zod';
import type { ScheduleBook } from '../../core/schedule/events';
import { dynamo, ssm } from '../shared/clients/clients';
import type { LoadBalancerDeps } from '../shared/ec2/make-load-balancer';
import { ScheduleStore } from '../shared/record/schedule-store';
import { noticeLink } from '../shared/links/notice-link';
import {
  type FailureDeps,
  failureDeps,
  type GroupDeps,
  groupDeps,
  loadBalancerDeps,
  noticeLinkDeps,
} from '../shared/step/deps';
import type { env as schema } from './env';

/** What looking after the cluster works with. */
export interface CareDeps extends FailureDeps, GroupDeps, LoadBalancerDeps {
  apiAccess: 'load-balancer' | 'tunnel';
  book: ScheduleBook;
  elasticIpId: string;
  /** ARNs of state machines. */
  machines: Readonly<Record<'sleep' | 'wake' | 'bootstrap' | 'recover-pools' | 'join-node', string>>;
  /** USD an hour by instance type. */
  prices: Readonly<Record<string, number>>;
  schedules: ScheduleStore;
  /** A link by which a reader of news keeps the cluster awake. */
  keepAwakeLink: () => Promise<string | undefined>;
  ssm: SSMClient;
  now?: () => number;
}

export function careDeps(env: z.output<typeof schema>): CareDeps {
  const link = noticeLinkDeps(env);
  return {
    ...failureDeps(env),
    ...groupDeps(env),
    ...loadBalancerDeps(env),
    apiAccess: env.API_ACCESS,
    book: { schedules: env.SCHEDULES, holidays: env.HOLIDAYS },
    elasticIpId: env.ELASTIC_IP_ID,
    machines: {
      sleep: env.SLEEP_MACHINE_ARN,
      wake: env.WAKE_MACHINE_ARN,
      bootstrap: env.BOOTSTRAP_MACHINE_ARN,
      'recover-pools': env.RECOVER_POOLS_MACHINE_ARN,
      'join-node': env.JOIN_NODE_MACHINE_ARN,
    },
    prices: env.INSTANCE_PRICES,
    schedules: new ScheduleStore(dynamo(), env.TABLE_NAME),
    keepAwakeLink: () => noticeLink(link),
    ssm: ssm(),
  };
}
