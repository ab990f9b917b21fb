import type { SFNClient } from '@aws-sdk/client-sfn';
import * as z from 'zod';
import { intentOf } from '../../core/record/intent';
import { assessIdle, lookAt, type Sign } from '../../core/schedule/idle';
import { dynamo, stepFunctions } from '../shared/clients/clients';
import { noticeLink } from '../shared/links/notice-link';
import { noticeLinkDeps, notifyDeps, runCommandDeps } from '../shared/step/deps';
import { isHolderOver, startOnce } from '../shared/workflows/executions';
import { logger } from '../shared/clients/logger';
import { notify, type NotifyDeps } from '../shared/news/notify';
import type { RunCommandDeps } from '../shared/commands/run-command';
import { ScheduleStore } from '../shared/record/schedule-store';
import { step } from '../shared/step/step';
import { env } from './env';
import type { env as schema } from './env';
import { describeCallOff, describeWarning } from './news';
import { findSessions, findUse, type IdleConfig, measureUse } from './signs';

const input = z.object({ execution: z.string() });

interface Deps extends RunCommandDeps {
  idle: IdleConfig;
  machineArn: string;
  notify: NotifyDeps;
  schedules: ScheduleStore;
  sfn: SFNClient;
  /** A link by which a reader of the warning puts the sleep off. */
  keepAwakeLink: () => Promise<string | undefined>;
}

/** What this look came to. */
interface Answer {
  look: number;
  act: string;
  /** What shows that the cluster is in use, or can't be told. */
  use?: Sign[];
}

/**
 * Looks, every five minutes, whether anybody uses the cluster; warns once nobody has for long enough, and puts it to sleep
 * if nobody objects. It looks at a cluster that is to be awake and is left alone, and at no other: a seat is asked only then.
 */
export const detectIdle = (deps: Deps) => async (): Promise<Answer> => {
  const { cluster, idle, schedules, store } = deps;
  const now = new Date((deps.now ?? Date.now)());
  const look = lookAt(now);
  const [{ lease, since, ...rest }, record] = await Promise.all([store.read(), schedules.readIdle()]);
  const held = lease !== undefined && !(await isHolderOver(deps.sfn, lease, now.getTime()));
  if (held || intentOf({ since, ...rest })?.state !== 'awake') return { look, act: 'not awake' };
  if (record?.look === look) return { look, act: 'looked already' };
  const [use, sessions, { keepAwake, postponed }] = await Promise.all([
    findUse(deps, idle, { look, last: record?.look }),
    findSessions(deps),
    schedules.readOverrides(),
  ]);
  await measureUse(deps, idle, look);
  const signs = [...use, sessions];
  const keptUntil = [keepAwake?.until, postponed?.until];
  // What was seen before the cluster slept says nothing of now.
  const known = record?.since !== undefined && record.since < (since ?? '') ? undefined : record;
  const { record: next, act } = assessIdle({ idle, signs, record: known, keptUntil, now });
  const inUse = signs.filter((sign) => sign.state !== 'idle');
  logger.info('Looked for use', { act, signs });
  // First done, then kept: a look that dies in between is repeated, and nobody is put to sleep without a warning.
  if (act === 'warn')
    await notify(
      deps.notify,
      `idle-${look}#warning`,
      describeWarning(cluster, idle, next.sleepAt ?? '', await deps.keepAwakeLink()),
    );
  if (act === 'call-off') await notify(deps.notify, `idle-${look}#call-off`, describeCallOff(cluster, inUse));
  if (act === 'sleep') {
    const requestedBy = `idle:nobody used it since ${next.since ?? ''}`;
    await startOnce(deps.sfn, deps.machineArn, `idle-${look}`, { requestedBy });
  }
  await schedules.recordIdle(next, record);
  return { look, act, use: inUse };
};

function linkFor(env: z.output<typeof schema>): () => Promise<string | undefined> {
  const deps = noticeLinkDeps(env);
  return () => noticeLink(deps);
}

export const handler = step(
  {
    name: 'detect-idle',
    input,
    env,
    deps: (env) => ({
      ...runCommandDeps(env),
      idle: env.IDLE,
      machineArn: env.SLEEP_MACHINE_ARN,
      notify: notifyDeps(env),
      schedules: new ScheduleStore(dynamo(), env.TABLE_NAME),
      sfn: stepFunctions(),
      keepAwakeLink: linkFor(env),
    }),
    renewsLease: false,
  },
  detectIdle,
);
