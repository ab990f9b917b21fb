import type { FileOptions, TargetOptions } from '../target';
import type { Registry } from '../verb';
import type { LogsOptions } from '../verbs/logs';
import type { RunsOptions } from '../verbs/runs';

/** Verbs that only look. */
export function seeing({ offline, verb, signal, end }: Registry): void {
  verb('status', 'Say how the cluster is, what it does and what comes next', 'status --watch')
    .option('--watch', 'go on until Ctrl-C, with the steps of what runs')
    .action(async (options: TargetOptions & { watch?: boolean }) => {
      end(await (await import('../verbs/status')).status(options, signal));
    });
  verb('nodes', 'List the nodes and how far they have come', 'nodes --json').action(async (options: TargetOptions) => {
    end(await (await import('../verbs/status')).nodes(options, signal));
  });
  verb(
    'runs',
    'List the last runs of the workflows: who asked and why, how long they took, how they ended',
    'runs wake',
  )
    .argument('[workflow]', 'of this workflow alone, for example wake')
    .option('--last <number>', 'how many to list', '10')
    .action(async (workflow: string | undefined, options: RunsOptions) => {
      end(await (await import('../verbs/runs')).runs(workflow, options, signal));
    });
  verb('logs', 'Print what a workflow, a step or a node logged', 'logs wait-for-api --since 2h')
    .argument('<name>', 'wake, sleep …; a step (wait-for-api or WaitForApi); a node (i-…, seat-0, a pool); or api')
    .option('--since <span>', 'how far back: 15m, 2h, 1d', '1h')
    .option('--last <number>', 'no more than so many lines', '200')
    .option('--follow', 'go on until Ctrl-C')
    .action(async (name: string, options: LogsOptions) => {
      end(await (await import('../verbs/logs')).logs(name, options, signal));
    });
  offline('schedule', 'Show what the schedules do in the next two weeks', 'schedule --json').action(
    async (options: FileOptions) => {
      end((await import('../verbs/schedule')).schedule(options));
    },
  );
  verb(
    'cost',
    'Show what the cluster costs awake, asleep and by the month; asks nobody',
    'cost --config examples/office-hours.yaml',
  )
    .option('--actual', 'this month so far, by the hours on record, and what bills while it sleeps; asks AWS')
    .action(async (options: TargetOptions & { actual?: boolean }) => {
      end(
        options.actual
          ? await (await import('../verbs/actual-cost')).actualCost(options, signal)
          : (await import('../verbs/cost')).cost(options),
      );
    });
}
