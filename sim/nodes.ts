import { TAG } from '../core/config/names';
import type { Ec2, SimInstance } from './aws/ec2';
import { after } from './aws/service';
import { type Etcd } from './etcd';
import { readySeats } from './etcd-documents';
import type { Ssm } from './aws/ssm';
import measured from './measured.json';

/** How long each phase of a node lasts (s), and what may go wrong. */
export interface NodePlan {
  /** From running to `runtime`: the operating system boots, user data fetches the node bundle. */
  boot: number;
  /** In `runtime`: packages and binaries, or nothing with a baked image. */
  runtime: number;
  /** Seats, in `control-plane`: until the API answers. Pool nodes, in `joining`: until the kubelet says Ready. */
  last: number;
  /** Ends as `failed:<this>` instead of ready. */
  failsWith?: string;
  /** So many join tokens are of no use to it: the API does not know them. */
  unknownTokens?: number;
  /** Stays in this phase for ever. */
  hangsIn?: 'booting' | 'runtime' | 'waiting-for-token' | 'joining' | 'control-plane';
}

/**
 * A g4dn.xlarge from a public GPU image and a t3.medium. The last part of each is what the lab measured with real nodes (docs/lab.md says how to
 * measure anew), on machines as small as a t3.medium; what a virtual machine and AWS's network add are estimates.
 */
export const PLAN: { seat: NodePlan; pool: NodePlan } = {
  seat: { boot: 25, runtime: 25, last: measured.seat.seconds },
  pool: { boot: 40, runtime: 35, last: measured.pool.seconds },
};

/** How often a seat tries to get its volume, and how long (s): `volume-held` in userdata/lib/volume.sh. */
const VOLUME = { poll: 5, patience: 600 };
/** How often a seat looks whether its API answers, and how long (s): `api-not-ready` in userdata/lib/seat.sh. */
const API = { poll: 2, patience: 1200 };
/** How often a pool node looks for its join token (ms). */
const TOKEN_POLL_MS = 2000;

/** Plays the node scripts on every instance: phases as tags on the instance itself, one after the other. */
export class Nodes {
  /** Plan of an instance; replaced by tests to make a node fail or hang. */
  plan: (instance: SimInstance) => NodePlan = ({ tags }) => {
    if (tags[TAG.role] !== 'seat') return PLAN.pool;
    return this.isLost(tags[TAG.seat]) ? { ...PLAN.seat, failsWith: 'state-lost' } : PLAN.seat;
  };

  /** Called when a seat is ready: by then it has deleted what names instances that are gone. */
  onSeatReady: () => void = () => undefined;

  constructor(
    private readonly ec2: Ec2,
    private readonly ssm: Ssm,
    private readonly joinParameter: (pool: string, instanceId: string) => string,
    private readonly etcd: Etcd,
  ) {
    ec2.onChange((instance) => {
      if (instance.state === 'running') this.boot(instance);
    });
  }

  /** A blank volume of a cluster that exists: with another seat ready it joins that one anew, else its state is lost. */
  private isLost(seat: string | undefined): boolean {
    const volume = this.ec2.volumes.find(({ tags }) => tags[TAG.seat] === seat);
    if (volume?.lost !== true) return false;
    volume.lost = readySeats(this.ec2).length === 0;
    return volume.lost;
  }

  private boot(instance: SimInstance): void {
    const plan = this.plan(instance);
    const seat = instance.tags[TAG.role] === 'seat';
    const { boot } = instance;
    const alive = () => instance.state === 'running' && instance.boot === boot;
    const give = (reason: string) => {
      instance.tags[TAG.phase] = `failed:${reason}`;
      instance.tags[TAG.phaseAt] = new Date().toISOString();
    };
    const phase = (name: string): boolean => {
      const fails = plan.failsWith !== undefined && (name === 'control-plane' || name === 'joining');
      instance.tags[TAG.phase] = fails ? `failed:${plan.failsWith ?? ''}` : name;
      instance.tags[TAG.phaseAt] = new Date().toISOString();
      return !fails && plan.hangsIn !== name;
    };
    const then = (seconds: number, next: () => void) => {
      after(seconds * 1000, () => {
        if (alive()) next();
      });
    };
    /** Tries again and again; out of patience, the node fails. */
    const until = (
      what: { poll: number; patience: number; reason: string },
      holds: () => boolean,
      next: () => void,
    ) => {
      if (holds()) next();
      else if (what.patience <= 0) give(what.reason);
      else then(what.poll, () => until({ ...what, patience: what.patience - what.poll }, holds, next));
    };
    const startSeat = () => {
      if (!phase('control-plane')) return;
      const volume = this.ec2.volumes.find(({ tags }) => tags[TAG.seat] === instance.tags[TAG.seat]);
      const attached = () => volume !== undefined && this.ec2.attach(volume, instance.id);
      until({ ...VOLUME, reason: 'volume-held' }, attached, () =>
        then(plan.last, () => {
          const answers = () => this.etcd.start(instance);
          until({ ...API, reason: 'api-not-ready' }, answers, () => {
            phase('ready');
            this.onSeatReady();
          });
        }),
      );
    };
    const finish = () => {
      if (!phase('joining')) return;
      const answers = () => this.etcd.hasQuorum();
      then(plan.last, () => until({ ...API, patience: 600, reason: 'api-unreachable' }, answers, () => phase('ready')));
    };
    const rejected = new Set<string>();
    const awaitToken = () => {
      const token = this.ssm.parameters.get(this.joinParameter(instance.tags[TAG.pool] ?? '', instance.id));
      if (token === undefined || rejected.has(token)) then(TOKEN_POLL_MS / 1000, awaitToken);
      else if (rejected.size < (plan.unknownTokens ?? 0)) {
        rejected.add(token);
        if (phase('joining')) then(plan.last, () => phase('waiting-for-token') && awaitToken());
      } else finish();
    };
    if (!phase('booting')) return;
    then(plan.boot, () => {
      if (!phase('runtime')) return;
      then(plan.runtime, () => {
        if (seat) startSeat();
        else if (phase('waiting-for-token')) awaitToken();
      });
    });
  }
}
