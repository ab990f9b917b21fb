import { SetDesiredCapacityCommand, UpdateAutoScalingGroupCommand } from '@aws-sdk/client-auto-scaling';
import { RebootInstancesCommand, TerminateInstancesCommand } from '@aws-sdk/client-ec2';
import { setTimeout as sleep } from 'node:timers/promises';
import { namesOf } from '../../core/config/names';
import { randomNumbers, shuffled } from './chance';
import { checkFullEtcd, checkInside, checkNothingStale } from './inside';
import { bootSeats, type Life, liveOnce } from './life';
import { sleepLong } from './long-sleep';
import { resizeSeat, seatInstance, volumeOf } from './seats';
import { upgrade } from './upgrade';

/** A boot on an idle machine is over by then: cuts later than this hit a cluster at rest. */
const BOOT_SECONDS = 16;
/** Power cuts at random moments. */
const CUTS = 4;
/** SIGKILLs of the node script at random moments. */
const KILLS = 4;
const BOUND_SECONDS = 300;

const now = () => Date.now() / 1000;

/** The seats boot again, as an operator asks for it. */
async function reboot(life: Life): Promise<void> {
  life.heading('reboot');
  const since = now();
  const InstanceIds = (await life.running('seat')).map(({ instanceId }) => instanceId);
  await life.session.aws.ec2.send(new RebootInstancesCommand({ InstanceIds }));
  await life.checkWhole('a reboot', since);
}

/** The power of every seat is cut, and comes back seat by seat in any order; during the boots it is cut again and again. */
async function cutPower(life: Life, random: () => number): Promise<void> {
  life.heading('power cuts');
  const seats = (await life.running('seat')).map(({ instanceId }) => instanceId);
  let since = now();
  for (let cut = 1; cut <= CUTS; cut++) {
    since = now();
    await Promise.all(seats.map((seat) => life.session.room.cut(seat)));
    for (const seat of shuffled(seats, random)) {
      void life.session.room.boot(seat);
      await sleep(random() * 2000);
    }
    const moment = random() * BOOT_SECONDS;
    if (cut < CUTS) await sleep(moment * 1000);
  }
  await life.checkWhole(`${String(CUTS)} power cuts of all seats at random moments of their boots`, since);
}

/** The node script is killed at random moments of a boot, with all that it runs; systemd runs it again. */
async function killNodeScript(life: Life, random: () => number): Promise<void> {
  life.heading('kills of the node script');
  const seats = (await life.running('seat')).map(({ instanceId }) => instanceId);
  const since = now();
  for (const seat of seats) await life.session.room.cut(seat);
  for (const seat of seats) void life.session.room.boot(seat);
  await sleep(2000);
  let killed = 0;
  for (let kill = 1; kill <= KILLS; kill++) {
    await sleep((random() * BOOT_SECONDS * 1000) / KILLS);
    const answers = await Promise.all(seats.map((seat) => life.shell(seat, KILL).catch(() => undefined)));
    killed += answers.filter((answer) => answer?.output.trim() === 'killed').length;
  }
  life.recorder.check('kills of the node script hit boots under way', killed > 0, String(killed));
  await life.checkWhole(`${String(killed)} kills of node scripts at random moments of a boot`, since);
}

/** Only a run under way is killed: one that is over is none. */
const KILL = `[ "$(systemctl show --property ActiveState --value drowse-node)" = activating ] &&
  systemctl kill --signal KILL drowse-node && echo killed`;

/** One seat's instance is gone for good; its group makes another, which sits on the same volume. */
async function loseInstance(life: Life, random: () => number): Promise<void> {
  life.heading('loss of an instance');
  const [lost] = shuffled(await life.running('seat'), random);
  if (!lost) return;
  await life.session.aws.ec2.send(new TerminateInstancesCommand({ InstanceIds: [lost.instanceId] }));
  const replaced = await life.cluster.within(BOUND_SECONDS, async () => {
    const seats = await life.running('seat');
    const all = seats.length === life.session.config.controlPlane.seats;
    return all && seats.every(({ instanceId }) => instanceId !== lost.instanceId);
  });
  life.recorder.check('a lost instance is replaced', replaced, lost.instanceId);
  await life.checkWhole('the loss of an instance', 0);
}

/** One volume of three is lost with its instance: the seat becomes a new member. */
async function loseVolume(life: Life, seat: number): Promise<void> {
  life.heading('loss of a volume');
  await resizeSeat(life, seat, 0);
  await life.session.room.blank(await volumeOf(life, seat));
  await resizeSeat(life, seat, 1);
  await life.checkWhole('the loss of a volume', 0);
}

/** A pool's node joins through the launch hook and its workflow; its instance is lost, and another joins in its place. */
async function joinPool(life: Life): Promise<void> {
  life.heading('a pool node');
  const [pool] = life.session.config.pools;
  if (!pool) return;
  const { autoScaling, ec2 } = life.session.aws;
  const AutoScalingGroupName = namesOf(life.session.config.name).poolGroup(pool.name);
  await autoScaling.send(
    new UpdateAutoScalingGroupCommand({ AutoScalingGroupName, MinSize: 0, MaxSize: 1, DesiredCapacity: 1 }),
  );
  const first = await readyPoolNode(life, []);
  life.recorder.check('a pool node joins', first !== undefined, first ?? '');
  await life.recorder.boot();
  if (first === undefined) return;
  await ec2.send(new TerminateInstancesCommand({ InstanceIds: [first] }));
  const second = await readyPoolNode(life, [first]);
  life.recorder.check('another joins in the place of a lost one', second !== undefined, second ?? '');
  await life.recorder.boot();
  await autoScaling.send(new SetDesiredCapacityCommand({ AutoScalingGroupName, DesiredCapacity: 0 }));
  await life.cluster.within(BOUND_SECONDS, async () => (await life.running('pool')).length === 0);
  const [seat] = await life.running('seat');
  const removed = await life.command(seat?.instanceId ?? '', 'delete-stale-nodes');
  const deleted = removed.status === 'Success';
  life.recorder.check('Node objects of instances that are gone are deleted', deleted, removed.output);
  await life.checkCluster('the end of the pool');
}

async function readyPoolNode(life: Life, besides: readonly string[]): Promise<string | undefined> {
  let found: string | undefined;
  await life.cluster.within(BOUND_SECONDS, async () => {
    const nodes = await life.running('pool');
    found = nodes.find(({ instanceId, phase }) => phase === 'ready' && !besides.includes(instanceId))?.instanceId;
    return found !== undefined;
  });
  return found;
}

/**
 * Every volume is lost, and seats alone come back from the bucket: the snapshot and the restore are the documents that the workflows
 * run.
 */
async function loseVolumesOfSeats(life: Life): Promise<void> {
  life.heading('loss of every volume');
  const { seats } = life.session.config.controlPlane;
  const [first] = await life.running('seat');
  const saved = await life.command(first?.instanceId ?? '', 'snapshot-etcd');
  life.recorder.check('a snapshot is saved', saved.status === 'Success', saved.output);
  const { key } = JSON.parse(saved.output) as { key: string };
  for (let seat = 0; seat < seats; seat++) await resizeSeat(life, seat, 0);
  for (let seat = 0; seat < seats; seat++) await life.session.room.blank(await volumeOf(life, seat));
  for (let seat = 0; seat < seats; seat++) await resizeSeat(life, seat, 1);
  const lost = await life.phaseOfAllSeats('failed:state-lost');
  life.recorder.check('seats on blank volumes of a cluster that exists make no new one', lost, '');
  const seat0 = await seatInstance(life, 0);
  const restored = await life.command(seat0, 'restore-etcd', { Key: key, DryRun: 'false' });
  life.recorder.check('restore-etcd succeeds', restored.status === 'Success', restored.output);
  await life.checkWhole('restore-etcd', 0);
}

/** Every volume is lost while asleep: a restore from the bucket brings the cluster back. */
async function loseEverything(life: Life): Promise<void> {
  await life.workflow('sleep');
  life.heading('loss of every volume');
  const { seats } = life.session.config.controlPlane;
  for (let seat = 0; seat < seats; seat++) await life.session.room.blank(await volumeOf(life, seat));
  for (let seat = 0; seat < seats; seat++) await resizeSeat(life, seat, 1);
  const lost = await life.phaseOfAllSeats('failed:state-lost');
  life.recorder.check('seats on blank volumes of a cluster that exists make no new one', lost, '');
  const key = 'latest';
  await life.workflow('restore-etcd', { seat: 0, key, dryRun: false, confirm: life.session.config.name });
  await life.workflow('wake');
  await life.checkWhole('restore-etcd', 0);
}

/** Every part in turn: what a cluster of seats alone shows, or one with its platform. */
export async function proveFaults(life: Life, seed: number): Promise<void> {
  const random = randomNumbers(seed);
  const { platform, config } = life.session;
  if (platform) {
    await liveOnce(life);
  } else {
    await bootSeats(life);
    await checkInside(life, 'a first boot');
    await life.objects.write();
    await joinPool(life);
  }
  if (platform) await sleepLong(life);
  if (life.session.upgrade) await upgrade(life, life.session.upgrade);
  await reboot(life);
  await cutPower(life, random);
  await killNodeScript(life, random);
  await loseInstance(life, random);
  await checkNothingStale(life, 'the loss of an instance');
  if (config.controlPlane.seats > 1) await loseVolume(life, Math.floor(random() * config.controlPlane.seats));
  await checkFullEtcd(life);
  await (platform ? loseEverything(life) : loseVolumesOfSeats(life));
  await checkInside(life, 'the end');
}
