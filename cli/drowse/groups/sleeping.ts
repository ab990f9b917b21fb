import type { TargetOptions } from '../target';
import type { Registry } from '../verb';
import type { LinkOptions } from '../verbs/link';
import type { RequestOptions } from '../verbs/wake-and-sleep';

/** Verbs that put a cluster to sleep and wake it, and those that keep it from that. */
export function sleeping({ verb, signal, end }: Registry): void {
  verb('wake', 'Wake the cluster, and follow its steps; Ctrl-C leaves them going', 'wake')
    .option('--reason <words>', 'why, in a few words: kept with the run, and told')
    .option('--no-follow', 'only start it')
    .action(async (options: RequestOptions) => {
      end(await (await import('../verbs/wake-and-sleep')).request('wake', options, signal));
    });
  verb('sleep', 'Put the cluster to sleep, and follow its steps; Ctrl-C leaves them going', 'sleep --no-follow')
    .option('--reason <words>', 'why, in a few words: kept with the run, and told')
    .option('--no-follow', 'only start it')
    .action(async (options: RequestOptions) => {
      end(await (await import('../verbs/wake-and-sleep')).request('sleep', options, signal));
    });
  verb('keep-awake', 'Let nothing but a person put it to sleep before a time', 'keep-awake 3h')
    .argument('[until]', 'a span (90m, 3h, 2d), or a time (2026-11-20T22:00, in the schedules’ zone)')
    .option('--end', 'let it sleep again')
    .action(async (until: string | undefined, options: TargetOptions & { end?: boolean }) => {
      end(await (await import('../verbs/overrides')).keepAwake(until, options, signal));
    });
  verb('skip-next', 'Leave the next sleep or wake of the schedules out', 'skip-next sleep')
    .argument('[workflow]', 'sleep or wake')
    .option('--undo', 'leave nothing out')
    .action(async (workflow: string | undefined, options: TargetOptions & { undo?: boolean }) => {
      end(await (await import('../verbs/overrides')).skipNext(workflow, options, signal));
    });
  verb('postpone', 'Answer a warning: no sleep for lack of use for a while', 'postpone').action(
    async (options: TargetOptions) => {
      end(await (await import('../verbs/overrides')).postpone(options, signal));
    },
  );
  verb(
    'link',
    'Make a link to the page for somebody without AWS credentials, or end one',
    'link Ann --rights wake,keep-awake',
  )
    .argument('[name]', 'whom it is for: shown on the page, and kept with what the link does')
    .option('--rights <rights>', 'what it may do beside looking: wake, keep-awake, sleep (wake without it)')
    .option('--days <days>', 'how long it is valid', '30')
    .option('--list', 'list the links')
    .option('--revoke <id>', 'end one')
    .option('--revoke-all', 'end every one')
    .action(async (name: string | undefined, options: LinkOptions) => {
      end(await (await import('../verbs/link')).link(name, options, signal));
    });
}
