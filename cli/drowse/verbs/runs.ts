import { runsAnswer } from '../../../core/api/answers';
import { workflow as recorded } from '../../../core/record/contracts';
import type { PastRun } from '../../../core/record/past-run';
import { whoAsked } from '../../../core/words';
import { colors } from '../../terminal/colors';
import { CommandFailed, EXIT } from '../../terminal/errors';
import { tableOf } from '../../terminal/table';
import { answer, type Run } from '../answers';
import { duration } from '../describe';
import { listExecutions } from '../list-executions';
import { count } from '../span';
import { type TargetOptions, targetOf } from '../target';
import { WakeApi } from '../wake-api';
import { type WorkflowName, WORKFLOWS } from '../workflows';

export interface RunsOptions extends TargetOptions {
  last: string;
}

/** As many as `GET /runs` answers. */
const MOST = 50;

/**
 * Lists the last runs of the workflows: who asked and why, how long they took, how they ended. They come from the cluster's record;
 * those of the workflows that leave none there (join-node …) from Step Functions.
 */
export async function runs(workflow: string | undefined, options: RunsOptions, signal: AbortSignal): Promise<number> {
  const target = targetOf(options);
  const last = count('--last', options.last, MOST);
  const name = workflow === undefined ? undefined : known(workflow);
  const isRecorded = name === undefined || recorded.safeParse(name).success;
  const found = isRecorded
    ? await recordedRuns(await WakeApi.connect(target, signal), name)
    : await listExecutions(target, name, last);
  const shown = found.slice(0, last);
  if (options.json) {
    answer('runs', shown);
    return EXIT.done;
  }
  console.log(target.description);
  console.log(shown.length === 0 ? nothing(workflow, isRecorded) : runTable(shown));
  return EXIT.done;
}

function known(workflow: string): WorkflowName {
  const found = WORKFLOWS.find((name) => name === workflow);
  if (found !== undefined) return found;
  throw new CommandFailed(`There is no workflow ${workflow}`, `There are ${WORKFLOWS.join(', ')}.`, '', EXIT.wrongUse);
}

async function recordedRuns(api: WakeApi, workflow: WorkflowName | undefined): Promise<Run[]> {
  const { runs: all } = await api.request(runsAnswer, 'GET', '/runs');
  return all.filter((run) => workflow === undefined || run.workflow === workflow).map(timed);
}

function timed(run: PastRun): Run {
  return { ...run, seconds: (Date.parse(run.endedAt) - Date.parse(run.startedAt)) / 1000 };
}

function nothing(workflow: string | undefined, isRecorded: boolean): string {
  const when = isRecorded ? 'this month or the one before' : 'the last 90 days';
  return `${workflow ?? 'No workflow'} has ${workflow === undefined ? '' : 'not '}ended in ${when}. drowse status shows what runs.`;
}

function runTable(found: readonly Run[]): string {
  const color = colors(process.stdout);
  const rows = found.map(({ startedAt, workflow, requestedBy = '', reason, seconds, outcome, step, error }) => {
    const paint = { succeeded: color.green, degraded: color.yellow, running: color.cyan, failed: color.red }[outcome];
    const at = step === undefined ? '' : ` at ${step}`;
    return [
      `${startedAt.slice(0, 19).replace('T', ' ')} UTC`,
      workflow,
      `${whoAsked(requestedBy)}${reason === undefined ? '' : `: ${reason}`}`,
      duration(seconds * 1000),
      paint(`${outcome}${at}${error === undefined ? '' : `: ${error}`}`),
    ];
  });
  const causes = found.filter(({ cause }) => cause !== undefined);
  return [
    tableOf(['began', 'workflow', 'by', 'took', 'ended as'], rows),
    ...causes.map(({ workflow, startedAt, cause }) => `${workflow} of ${startedAt}: ${cause ?? ''}`),
  ].join('\n');
}
