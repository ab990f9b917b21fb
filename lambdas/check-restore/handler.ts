import type { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import type { EC2Client } from '@aws-sdk/client-ec2';
import type * as z from 'zod';
import { autoScaling, ec2 } from '../shared/clients/clients';
import { leased, type restore, restoreRequest } from '../../core/record/contracts';
import { snapshotDeps } from '../shared/step/deps';
import { describeGroupsOf } from '../shared/ec2/groups';
import { describeNodes, listNodes, LIVE_STATES, type NodeInstance } from '../shared/ec2/instances';
import { FAILED } from '../../core/record/phases';
import { dataOf, listSnapshots, type SnapshotDeps, verifySnapshot } from '../shared/commands/snapshots';
import { step } from '../shared/step/step';
import { env } from './env';

const input = leased.pick({ execution: true }).extend({ request: restoreRequest });

/** What is asked for is not done, since it would lose something or could not work; the message says what to do first. */
export class RestoreRefused extends Error {
  override readonly name = 'RestoreRefused';
}

interface Deps extends SnapshotDeps {
  autoScaling: AutoScalingClient;
  ec2: EC2Client;
}

/** Phase in which a seat says that its volume is blank although the cluster exists. */
const LOST = `${FAILED}state-lost`;

/**
 * Refuses what must not or cannot be restored, before anything is touched, and finds the snapshot and the instance. Only
 * blank volumes are ever restored: of one seat its own, of three seats all (the others then join the first anew).
 * @throws RestoreRefused saying what to do first
 * @throws SnapshotNotVerified the snapshot is not whole
 */
export const checkRestore =
  (deps: Deps) =>
  async ({ request }: z.output<typeof input>): Promise<z.output<typeof restore>> => {
    const { seat, dryRun, confirm } = request;
    if (!dryRun && confirm !== deps.cluster)
      throw new RestoreRefused(
        `Not confirmed: start it again with "confirm": "${deps.cluster}", or with "dryRun": true`,
      );
    const seats = (await describeNodes(deps.ec2, deps.cluster, LIVE_STATES)).filter(({ role }) => role === 'seat');
    const node = seats.find((one) => one.seat === String(seat));
    if (!node) throw new RestoreRefused(`Seat ${String(seat)} has no instance. Start wake first: it brings one up`);
    if (dryRun) requireScripts(node);
    else requireAllLost(await describeGroupsOf(deps.autoScaling, deps.cluster, 'seat'), seats);
    const { key, at } = await verifySnapshot(deps, await findKey(deps, request.key));
    const replaces = dryRun ? 'nothing' : `the blank state volume of seat ${String(seat)}`;
    return { seat, instanceId: node.id, key, at, dryRun, replaces };
  };

async function findKey({ s3, bucket }: SnapshotDeps, wanted: string): Promise<string> {
  if (wanted === 'latest') {
    const newest = (await listSnapshots(s3, bucket)).find(({ whole }) => whole);
    if (!newest) throw new RestoreRefused('The bucket has no snapshot');
    return dataOf(newest);
  }
  const [, folder] = /^(snapshots\/[A-Za-z0-9._-]+)(\/|\/etcd\.db)?$/.exec(wanted) ?? [];
  if (folder === undefined) throw new RestoreRefused(`"${wanted}" is neither "latest" nor snapshots/<folder>/etcd.db`);
  return dataOf({ folder });
}

/** A node can rehearse once it has its scripts and tools. */
function requireScripts(node: NodeInstance): void {
  if (['booting', 'runtime'].includes(node.phase))
    throw new RestoreRefused(`${listNodes([node])} is still booting: try again in a few minutes`);
}

/** A seat that has data, or may have, makes a restore wrong: its data is newer than any snapshot. */
function requireAllLost(groups: readonly { seat: string | undefined }[], seats: readonly NodeInstance[]): void {
  const others = seats.filter(({ phase }) => phase !== LOST);
  if (others.length > 0) {
    throw new RestoreRefused(
      `A restore needs every seat to say ${LOST}, and never overwrites data. These do not: ${listNodes(others)}. ` +
        'With a ready seat the others join by themselves; one that is on its way gives up after 15 minutes',
    );
  }
  const absent = groups.map(({ seat = '' }) => seat).filter((seat) => !seats.some((one) => one.seat === seat));
  if (absent.length > 0)
    throw new RestoreRefused(
      `Whether seat ${absent.join(', ')} has data is not known. Start wake first: it brings it up`,
    );
}

export const handler = step(
  {
    name: 'check-restore',
    input,
    env,
    deps: (env) => ({ ...snapshotDeps(env), autoScaling: autoScaling(), ec2: ec2() }),
  },
  checkRestore,
);
