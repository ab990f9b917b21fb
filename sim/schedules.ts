import { bookOf } from '../core/schedule/book';
import { type ScheduleEvent, scheduleEvents } from '../core/schedule/events';
import { CARE_MINUTES } from '../core/decisions/look-after';
import { LOOK_MINUTES } from '../core/schedule/idle';
import { makeStep } from './steps';
import type { Twin } from './run';

/** What EventBridge Scheduler does with a trigger, and how late (s). */
export interface Delivery {
  lost?: boolean;
  twice?: boolean;
  lateSeconds?: number;
}

/**
 * EventBridge Scheduler, for some time: triggers the schedules' workflows, look-after and the idle detector, as the stack
 * has it. What waits in the twin goes on as well.
 * @param deliver how each trigger fares; on time, once, without it
 * @param events false: the events that have look-after look at once are lost
 */
export function runSchedules(
  twin: Twin,
  hours: number,
  deliver: (event: ScheduleEvent) => Delivery = () => ({}),
  events = true,
): Promise<void> {
  const { model, workflows } = twin;
  const { config } = model;
  const from = new Date();
  const to = new Date(from.getTime() + hours * 3_600_000);
  const at = (time: number, run: () => void) => setTimeout(run, time - from.getTime());
  for (const event of scheduleEvents(bookOf(config), { from, to })) {
    const { lost = false, twice = false, lateSeconds = 0 } = deliver(event);
    // A local time that does not exist is never triggered.
    if (lost || event.startedBy === 'catch-up') continue;
    const input = { requestedBy: `schedule:${event.schedule}`, scheduledAt: event.at };
    for (let count = 0; count < (twice ? 2 : 1); count += 1) {
      at(Date.parse(event.at) + lateSeconds * 1000 + count * 400, () => workflows.start(event.workflow, input));
    }
  }
  const every = (minutes: number, step: string) => {
    const run = makeStep(model, step);
    for (let time = from.getTime() + minutes * 60_000; time < to.getTime(); time += minutes * 60_000) {
      // A failed look is repeated by the next; what it would have done, the tests see.
      at(time, () => void run({ execution: 'sim' }).catch(() => undefined));
    }
  };
  every(CARE_MINUTES, 'look-after');
  if (events) careForEvents(twin, to.getTime());
  if (config.idle.enabled) every(LOOK_MINUTES, 'detect-idle');
  return new Promise((resolve) => at(to.getTime(), resolve));
}

/** From an event to the look that it starts (ms). */
const EVENT_MS = 1500;

/** What the stack's rules do: a workflow that fails, and an instance that serves, have look-after look at once. */
function careForEvents({ model, workflows }: Twin, until: number): void {
  const run = makeStep(model, 'look-after');
  const look = () => {
    if (Date.now() >= until) return;
    setTimeout(() => void run({ execution: 'event', full: true }).catch(() => undefined), EVENT_MS);
  };
  workflows.onFailure = look;
  model.autoScaling.onServing = look;
}
