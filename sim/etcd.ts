import { TAG } from '../core/config/names';
import type { Ec2, SimInstance, SimVolume } from './aws/ec2';

/** etcd's membership: each seat's volume is a member for life, and more than half of the members answer or nobody does. */
export class Etcd {
  /** Instances whose etcd runs, by ID; an instance that is gone counts no more. */
  private readonly up = new Set<string>();

  constructor(private readonly ec2: Ec2) {}

  /** A seat's etcd runs from now on. True once its API answers. */
  start(seat: SimInstance): boolean {
    const volume = this.volumeOf(seat);
    if (volume === undefined) return false;
    if (volume.member) this.up.add(seat.id);
    if (!this.hasQuorum() && !this.isFirst(seat)) return false;
    // A new member is let in by those that are there.
    this.up.add(seat.id);
    volume.member = true;
    return true;
  }

  /** A seat's data is rebuilt from a snapshot: it is the only member, and lets the others in again. */
  restore(seat: SimInstance): void {
    const own = this.volumeOf(seat);
    for (const volume of this.ec2.volumes) volume.member = volume === own;
    if (own) this.ec2.attach(own, seat.id);
    this.up.add(seat.id);
  }

  /** True if the API answers. */
  hasQuorum(): boolean {
    const members = this.ec2.volumes.filter(({ member }) => member);
    const seats = this.ec2.in('running').filter(({ id }) => this.up.has(id));
    const answering = members.filter((volume) => seats.some(({ id }) => volume.holder === id));
    return members.length > 0 && answering.length > members.length / 2;
  }

  /** Seat 0 makes the cluster, once. */
  private isFirst({ tags }: SimInstance): boolean {
    return tags[TAG.seat] === '0' && this.ec2.volumes.every(({ member }) => !member);
  }

  private volumeOf({ tags }: SimInstance): SimVolume | undefined {
    return this.ec2.volumes.find((volume) => volume.tags[TAG.seat] === tags[TAG.seat]);
  }
}
