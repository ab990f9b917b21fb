import type { Sign } from '../../core/schedule/idle';
import type { Notification } from '../shared/news/notify';
import type { IdleConfig } from './signs';

/** How people are told of a sleep that comes for lack of use. */
export function describeWarning(
  cluster: string,
  { afterMinutes, postponeMinutes }: IdleConfig,
  sleepAt: string,
  link: string | undefined,
): Notification {
  return {
    subject: `${cluster} sleeps at ${sleepAt}: nobody uses it`,
    text: [
      `Nobody has used cluster ${cluster} for a while; after ${afterMinutes} minutes it sleeps, at ${sleepAt}.`,
      ...(link === undefined ? [] : [`Do you still use it? Open ${link} and press “I still use it”.`]),
      `Using it calls that off. POST /postpone-sleep puts it off by ${postponeMinutes} minutes, PUT /keep-awake for as long as you say: docs/schedules.md#idle-sleep`,
    ].join('\n\n'),
  };
}

/** How people are told that it does not come after all. */
export function describeCallOff(cluster: string, signs: readonly Sign[]): Notification {
  const seen = signs.map(({ source, state, detail }) => `${source} ${state} (${detail})`).join(', ');
  const text = `The announced sleep of cluster ${cluster} is called off: ${seen}.`;
  return { subject: `${cluster} stays awake`, text };
}
