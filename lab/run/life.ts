import { UpdateAutoScalingGroupCommand } from '@aws-sdk/client-auto-scaling';
import { DescribeVolumesCommand } from '@aws-sdk/client-ec2';
import { GetCommandInvocationCommand, SendCommandCommand } from '@aws-sdk/client-ssm';
import { namesOf, TAG } from '../../core/config/names';
import { followWorkflow } from '../../local/run/life';
import type { Progress } from '../../cli/terminal/progress';
import { checkInside, checkNothingStale, checkSmokeTest } from './inside';
import { Kubernetes } from './kubernetes';
import { Objects } from './objects';
import type { Recorder } from './recorder';
import type { MachineFacts } from './room';
import type { Session } from './session';

/** Longest run of a workflow whose nodes are real, on a busy machine. */
const WORKFLOW_MS = 1_200_000;
/** Longest wait for what a cluster does by itself. */
const SETTLE_SECONDS = 180;

/** A workflow ended otherwise than it should: what follows would prove nothing. */
export class LifeBroken extends Error {
  override readonly name = 'LifeBroken';
}

/** What all parts of a life share. */
export class Life {
  readonly cluster: Kubernetes;
  readonly objects: Objects;

  constructor(
    readonly session: Session,
    readonly recorder: Recorder,
    private readonly progress: Progress,
  ) {
    this.cluster = new Kubernetes(session);
    this.objects = new Objects(this.cluster);
  }

  heading(text: string): void {
    this.recorder.part = text;
    this.progress.heading(text);
  }

  /** Runs a workflow. @throws LifeBroken it did not succeed */
  async workflow(name: string, input: Record<string, unknown> = {}): Promise<void> {
    this.heading(name);
    const { aws, at, config } = this.session;
    const options = { input, boundMs: WORKFLOW_MS };
    const run = await followWorkflow(aws, at, config.name, name, this.progress, this.session.signal, options);
    this.recorder.workflow(run);
    await this.recorder.boot();
    if (run.status !== 'SUCCEEDED') throw new LifeBroken(`${name} ended as ${run.status}`);
  }

  async running(role: string): Promise<MachineFacts[]> {
    const machines = await this.session.room.machines();
    return machines.filter((machine) => machine.role === role && machine.state === 'running');
  }

  /** Waits until every running seat says that it is ready in a boot of its own after `since` (seconds since 1970). */
  async seatsReady(since = 0): Promise<boolean> {
    return this.cluster.within(SETTLE_SECONDS * 2, async () => {
      const seats = await this.running('seat');
      const ready = seats.filter(({ phases }) => phases.some(({ phase, at }) => phase === 'ready' && at > since));
      return seats.length === this.session.config.controlPlane.seats && ready.length === seats.length;
    });
  }

  /** Waits until every seat is in a phase. */
  async phaseOfAllSeats(wanted: string): Promise<boolean> {
    return this.cluster.within(SETTLE_SECONDS * 2, async () => {
      const seats = await this.running('seat');
      return seats.length === this.session.config.controlPlane.seats && seats.every(({ phase }) => phase === wanted);
    });
  }

  /** Runs a command document of the cluster on an instance, as workflows do. */
  command(instanceId: string, name: string, values: Record<string, string> = {}) {
    return this.runDocument(instanceId, namesOf(this.session.config.name).document(name), values);
  }

  /** Runs a shell script on an instance, as an operator does. */
  shell(instanceId: string, script: string) {
    return this.runDocument(instanceId, 'AWS-RunShellScript', { commands: script });
  }

  private async runDocument(instanceId: string, DocumentName: string, values: Record<string, string>) {
    const { ssm } = this.session.aws;
    const Parameters = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, [value]]));
    const sent = await ssm.send(new SendCommandCommand({ DocumentName, Parameters, InstanceIds: [instanceId] }));
    const asked = { CommandId: sent.Command?.CommandId ?? '', InstanceId: instanceId };
    let answer = await ssm.send(new GetCommandInvocationCommand(asked));
    await this.cluster.within(WORKFLOW_MS / 1000, async () => {
      answer = await ssm.send(new GetCommandInvocationCommand(asked));
      return !['Pending', 'InProgress'].includes(answer.Status ?? '');
    });
    const { Status = '', StandardOutputContent = '', StandardErrorContent = '' } = answer;
    return { status: Status, output: StandardOutputContent, errors: StandardErrorContent };
  }

  /** Everything is as it was: seats ready in a boot after `since` (seconds since 1970), nodes, app, objects. */
  async checkWhole(after: string, since: number): Promise<void> {
    this.recorder.check(`after ${after}, every seat is ready again`, await this.seatsReady(since), '');
    await this.recorder.boot();
    await this.checkCluster(after);
    await this.checkObjects(after);
  }

  /** Looks at the cluster as its operator does, until it is as it should be or the bound is reached. */
  async checkCluster(after: string): Promise<void> {
    await this.cluster.connect();
    const running = [...(await this.running('seat')), ...(await this.running('pool'))];
    const wanted = running.map(({ instanceId }) => instanceId).sort();
    let found: string[] = [];
    const nodes = await this.cluster.within(SETTLE_SECONDS, async () => {
      found = (await this.cluster.list<NodeObject>(['nodes'])).map(describeNode).sort();
      return JSON.stringify(found) === JSON.stringify(wanted.map((id) => `${id} Ready`));
    });
    this.recorder.check(`after ${after}, the nodes are those that run, and ready`, nodes, found.join(', '));
    if (this.session.platform) await this.checkApp(after, wanted);
  }

  /** After a wake the pool's nodes are the same machines where they were stopped, new ones where they were terminated. */
  async checkPool(before: readonly MachineFacts[]): Promise<void> {
    const stops = this.session.config.pools.some(({ sleep }) => sleep === 'stop');
    const known = before.map(({ instanceId }) => instanceId);
    const now = await this.running('pool');
    const same = now.filter(({ instanceId }) => known.includes(instanceId)).length;
    const found = now.map(({ instanceId, boots }) => `${instanceId} in boot ${String(boots)}`).join(', ');
    const what = stops
      ? 'the pool is back on the machines that were stopped'
      : 'the pool is back on machines of its own';
    this.recorder.check(
      `after wake, ${what}`,
      now.length === before.length && same === (stops ? before.length : 0),
      found,
    );
    const cordoned = (await this.cluster.list<NodeObject>(['nodes'])).filter(
      ({ spec }) => spec?.unschedulable === true,
    );
    const names = cordoned.map(({ metadata: { name } }) => name).join(', ');
    this.recorder.check('after wake, no node is cordoned', cordoned.length === 0, names);
  }

  private async checkApp(after: string, living: readonly string[]): Promise<void> {
    let found = '';
    const runs = await this.cluster.within(SETTLE_SECONDS, async () => {
      const pods = await this.cluster.list<PodObject>(['pods', '--namespace', 'hello', '--selector', 'app=hello']);
      found = pods.map(describePod).join(', ');
      return pods.some(({ spec, status }) => living.includes(spec.nodeName ?? '') && isReady(status));
    });
    this.recorder.check(`after ${after}, the app runs on a living node`, runs, found);
  }

  async checkObjects(after: string): Promise<void> {
    const lost = await this.objects.lost();
    this.recorder.check(
      `after ${after}, objects, Secrets and service accounts are as they were`,
      lost === undefined,
      lost ?? '',
    );
  }

  /** Nothing runs, and the state is there; instances of pools with `sleep: stop` are switched off. */
  async checkAsleep(): Promise<void> {
    const { aws, config, room } = this.session;
    const ended = config.pools.some(({ sleep }) => sleep === 'stop') ? ['terminated', 'stopped'] : ['terminated'];
    const alive = (await room.machines()).filter(({ pid, state }) => pid !== null || !ended.includes(state));
    this.recorder.check('asleep, no machine runs', alive.length === 0, JSON.stringify(alive));
    const { Volumes = [] } = await aws.ec2.send(
      new DescribeVolumesCommand({ Filters: [{ Name: `tag:${TAG.cluster}`, Values: [config.name] }] }),
    );
    const seats = Volumes.filter(({ Tags = [] }) => Tags.some(({ Key }) => Key === TAG.seat));
    const states = seats.map(({ State }) => State).join(', ');
    const kept = seats.length === config.controlPlane.seats && seats.every(({ State }) => State === 'available');
    this.recorder.check('asleep, every state volume is there', kept, states);
  }
}

interface NodeObject {
  metadata: { name: string };
  spec?: { unschedulable?: boolean };
  status: { conditions?: { type: string; status: string }[] };
}
interface PodObject {
  spec: { nodeName?: string };
  status: NodeObject['status'];
}

function describeNode({ metadata: { name }, status }: NodeObject): string {
  return `${name} ${isReady(status) ? 'Ready' : 'not ready'}`;
}

function describePod({ spec, status }: PodObject): string {
  return `${spec.nodeName ?? 'no node'} ${isReady(status) ? 'Ready' : 'not ready'}`;
}

function isReady({ conditions = [] }: NodeObject['status']): boolean {
  return conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
}

/** Seats on blank volumes, started side by side as a bootstrap does. */
export async function bootSeats(life: Life): Promise<void> {
  life.heading('boot the seats');
  const { aws, config } = life.session;
  for (let seat = 0; seat < config.controlPlane.seats; seat++) {
    const group = { AutoScalingGroupName: namesOf(config.name).seatGroup(seat), MaxSize: 1, DesiredCapacity: 1 };
    await aws.autoScaling.send(new UpdateAutoScalingGroupCommand(group));
  }
  life.recorder.check('every seat is ready', await life.seatsReady(), '');
  await life.recorder.boot();
  await life.cluster.connect();
}

/** Bootstrap → objects written → sleep → wake → objects there, and the pool's node, joined, drained, and back. */
export async function liveOnce(life: Life): Promise<void> {
  await life.workflow('bootstrap');
  await life.checkCluster('bootstrap');
  await checkInside(life, 'bootstrap');
  await checkNothingStale(life, 'bootstrap');
  await checkSmokeTest(life, 'bootstrap');
  await life.objects.write();
  const before = await life.running('pool');
  await life.workflow('sleep');
  await life.checkAsleep();
  await life.workflow('wake');
  await checkNothingStale(life, 'wake');
  await life.checkCluster('wake');
  await life.checkObjects('wake');
  await life.checkPool(before);
  await checkInside(life, 'wake');
  await checkSmokeTest(life, 'wake');
}
