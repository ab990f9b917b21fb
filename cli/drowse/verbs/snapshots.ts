import { S3Client } from '@aws-sdk/client-s3';
import { dataOf, listSnapshots } from '../../../lambdas/shared/commands/snapshots';
import { CommandFailed, EXIT } from '../../terminal/errors';
import { tableOf } from '../../terminal/table';
import { Progress } from '../../terminal/progress';
import { answer } from '../answers';
import { ask, bucketOf } from '../aws';
import { duration } from '../describe';
import { followExecution } from '../follow-execution';
import { notDeployed, type Target, targetOf } from '../target';
import { startWorkflow } from '../workflows';
import type { WorkflowOptions } from './wake-and-sleep';

export interface SnapshotOptions extends WorkflowOptions {
  list?: boolean;
}

export interface RestoreOptions extends WorkflowOptions {
  seat: string;
  key: string;
  confirm?: string;
}

/** Saves etcd to the bucket, or lists what is there. */
export async function snapshot(options: SnapshotOptions, signal: AbortSignal): Promise<number> {
  const target = targetOf(options);
  if (options.list) return list(target, options);
  return work('snapshot', 'snapshot-etcd', {}, options, target, signal);
}

/** Rehearses a restore of etcd, or does it: then a lost state volume is rebuilt from a snapshot. */
export async function restore(options: RestoreOptions, signal: AbortSignal): Promise<number> {
  const target = targetOf(options);
  const { confirm, key } = options;
  const seat = Number(options.seat);
  if (![0, 1, 2].includes(seat)) {
    throw new CommandFailed(`There is no seat ${options.seat}`, 'Seats are 0, or 0 to 2.', '', EXIT.wrongUse);
  }
  if (confirm !== undefined && confirm !== target.cluster) {
    throw new CommandFailed(
      `--confirm ${confirm} is not the cluster’s name, ${target.cluster}`,
      'Nothing was restored. Without --confirm the restore is only rehearsed.',
      '',
      EXIT.wrongUse,
    );
  }
  const request = { seat, key, dryRun: confirm === undefined, ...(confirm !== undefined && { confirm }) };
  return work('restore', 'restore-etcd', request, options, target, signal);
}

async function work(
  verb: 'snapshot' | 'restore',
  workflow: 'snapshot-etcd' | 'restore-etcd',
  request: object,
  { json, follow }: WorkflowOptions,
  target: Target,
  signal: AbortSignal,
): Promise<number> {
  const progress = new Progress(json ? process.stderr : process.stdout);
  progress.print(target.description);
  const execution = await startWorkflow(target, workflow, request);
  if (!follow) {
    if (json) answer(verb, { execution, status: 'RUNNING' });
    else progress.print(`${workflow} has begun: ${execution}`);
    return EXIT.done;
  }
  try {
    const output = await followExecution(target, workflow, execution, { progress, signal });
    if (json) answer(verb, { execution, status: 'SUCCEEDED', output });
    else for (const line of tell(output)) progress.print(`  ${line}`);
    return EXIT.done;
  } catch (error) {
    if (signal.aborted) console.error(`\nThe ${workflow} goes on. drowse runs ${workflow} shows how it ends.`);
    throw error;
  }
}

/** What a person wants to know of what the workflow left. */
function tell(output: unknown): string[] {
  const { snapshot: saved, restore: restored } = (output ?? {}) as {
    snapshot?: { key?: string; skipped?: string };
    restore?: { key?: string; at?: string; dryRun?: boolean; replaces?: string };
  };
  return [
    ...(saved?.key === undefined ? [] : [saved.key]),
    ...(saved?.skipped === undefined ? [] : [`nothing was saved: ${saved.skipped}`]),
    ...(restored === undefined
      ? []
      : [
          restored.dryRun === false
            ? `${restored.replaces ?? ''} holds ${restored.key ?? ''} of ${restored.at ?? ''} now`
            : `a rehearsal: ${restored.key ?? ''} of ${restored.at ?? ''} could be restored`,
        ]),
  ];
}

async function list(target: Target, { json }: SnapshotOptions): Promise<number> {
  const bucket = await bucketOf(target);
  const sets = await ask(target, async () => {
    try {
      return await listSnapshots(new S3Client({ region: target.region }), bucket);
    } catch (error) {
      if (error instanceof Error && error.name === 'NoSuchBucket') throw notDeployed(target, `bucket ${bucket}`);
      throw error;
    }
  });
  const found = sets.map((set) => ({
    key: dataOf(set),
    at: new Date(set.at).toISOString(),
    reason: set.reason,
    whole: set.whole,
  }));
  if (json) {
    answer('snapshot', found);
    return EXIT.done;
  }
  console.log(target.description);
  if (found.length === 0) {
    console.log('There is no snapshot.');
    return EXIT.done;
  }
  const rows = found.map(({ key, at, reason, whole }) => {
    return [key, duration(Date.now() - Date.parse(at)), reason, whole ? '' : 'not whole'];
  });
  console.log(tableOf(['snapshot', 'age', 'why', ''], rows));
  return EXIT.done;
}
