import * as z from 'zod';
import { dynamo } from '../shared/clients/clients';
import type { ClusterStore } from '../shared/record/cluster-store';
import { STATES_OF } from '../../core/record/cluster-record';
import { intentOf } from '../../core/record/intent';
import { scheduledStart, workflowRequest } from '../../core/record/contracts';
import { clusterStore, notifyDeps } from '../shared/step/deps';
import { notify, type NotifyDeps } from '../shared/news/notify';
import { ScheduleStore } from '../shared/record/schedule-store';
import { step } from '../shared/step/step';
import {
  eventKey,
  keepAwakeSkip,
  type ScheduleBook,
  type ScheduledWorkflow,
  SKIP_NEXT,
  toMinute,
} from '../../core/schedule/events';
import { automaticStart } from '../../core/schedule/requests';
import { env } from './env';
import { alreadyThere, onHoliday } from './skip';

const input = z.object({
  execution: z.string(),
  startedAt: z.iso.datetime(),
  workflow: z.enum(['sleep', 'wake']),
  request: workflowRequest.extend(scheduledStart.shape),
});

interface Deps {
  cluster: string;
  book: ScheduleBook;
  store: ClusterStore;
  schedules: ScheduleStore;
  notify: NotifyDeps;
  now?: () => Date;
}

interface Answer {
  allowed: boolean;
  reason?: string;
}

/**
 * The first state of sleep and wake: a start that nobody asked for in person may be held back by what somebody did ask for
 * (a keep-awake, a skip) or by a holiday. A skip is recorded and told, and changes nothing: neither lease nor state. People
 * pass straight on. What became of an event is kept, by which the catch-up sees what has been missed.
 */
export const checkTrigger =
  (deps: Deps) =>
  async ({ execution, startedAt, workflow, request }: z.output<typeof input>): Promise<Answer> => {
    const start = automaticStart(request.requestedBy);
    if (start === undefined || start.kind === 'capacity' || request.lease !== undefined) return { allowed: true };
    const { schedules, now = () => new Date() } = deps;
    if (start.kind === 'look-after') return isStillWanted(deps, workflow);
    const due = toMinute(new Date(request.scheduledAt ?? startedAt));
    const scheduled = start.kind !== 'idle';
    const event = eventKey({ workflow, schedule: start.name, at: due });
    const [record, { keepAwake }] = await Promise.all([deps.store.read(), schedules.readOverrides()]);
    const skip =
      (scheduled ? onHoliday(deps.book, start.name, workflow, due) : undefined) ??
      keepAwakeSkip(workflow, keepAwake?.until, now()) ??
      (scheduled && (await schedules.useSkip(workflow, event)) ? SKIP_NEXT(workflow) : undefined) ??
      alreadyThere(record, workflow);
    if (scheduled) {
      const decision = skip ? ('skipped' as const) : ('started' as const);
      const trace = { execution, decision, ...(skip && { reason: skip.reason }) };
      const first = await schedules.recordTrigger(event, trace, start.kind === 'catch-up');
      if (!first) return { allowed: false, reason: 'another execution has this event already' };
    }
    if (!skip) return { allowed: true };
    await schedules.recordSkip(event, { ...skip, workflow, schedule: start.name, due, execution });
    await notify(deps.notify, `skip#${event}`, {
      subject: `${deps.cluster}: ${workflow} skipped`,
      text: `The ${workflow} of cluster ${deps.cluster} by ${request.requestedBy}, due at ${due}, was skipped: ${skip.message}.`,
    });
    return { allowed: false, reason: skip.message };
  };

/** What is tried again by itself is not, once somebody wants something else. */
async function isStillWanted(
  { store, schedules, now = () => new Date() }: Deps,
  workflow: ScheduledWorkflow,
): Promise<Answer> {
  const [record, { keepAwake }] = await Promise.all([store.read(), schedules.readOverrides()]);
  const wanted = intentOf(record)?.state;
  if (wanted !== STATES_OF[workflow].wanted)
    return { allowed: false, reason: `the cluster is to be ${wanted ?? 'left alone'}` };
  const kept = keepAwakeSkip(workflow, keepAwake?.until, now());
  return kept ? { allowed: false, reason: kept.message } : { allowed: true };
}

export const handler = step(
  {
    name: 'check-trigger',
    input,
    env,
    deps: (env) => ({
      cluster: env.CLUSTER_NAME,
      book: { schedules: env.SCHEDULES, holidays: env.HOLIDAYS },
      store: clusterStore(env),
      schedules: new ScheduleStore(dynamo(), env.TABLE_NAME),
      notify: notifyDeps(env),
    }),
    renewsLease: false,
  },
  checkTrigger,
);
