import ipaddr from 'ipaddr.js';
import type { ClusterConfig } from './schema';

/**
 * Where everything lies in the VPC, computed from the configuration alone: no lookups, and adding or removing a zone
 * moves no other zone's subnet, since a zone's place follows from its letter.
 */

/** Zones that a VPC has room for: letters a to h. AWS has none beyond f so far. */
const PLACES = 8;
/** Bits that eight places take of the VPC's range. */
const PLACE_BITS = Math.log2(PLACES);
/** AWS keeps a subnet's first four addresses and its last; the seats' block starts behind them. */
const SEAT_BLOCK_OFFSET = 16;

/** Addresses of a zone's public subnet, for example `10.0.32.0/19` for zone b of 10.0.0.0/16. */
export function subnetCidr({ vpcCidr }: Pick<ClusterConfig, 'vpcCidr'>, zone: string): string {
  const [base, prefix] = parse(vpcCidr);
  const size = 2 ** (32 - prefix - PLACE_BITS);
  return `${format(base + (zone.charCodeAt(0) - 'a'.charCodeAt(0)) * size)}/${String(prefix + PLACE_BITS)}`;
}

/** A control-plane seat's place in the network. */
export interface SeatPlace {
  /** Index of the seat, from 0. */
  seat: number;
  /** Letter of its zone. */
  zone: string;
  /** Address that it keeps for ever, taken over at boot as a secondary address. */
  fixedIp: string;
  /** Block of the subnet that AWS must not hand out by itself; it holds `fixedIp`. */
  reservation: string;
}

/** The places of all seats: one zone each, in the order of `zones`. */
export function seatPlaces(config: Pick<ClusterConfig, 'vpcCidr' | 'zones' | 'controlPlane'>): SeatPlace[] {
  return config.zones.slice(0, config.controlPlane.seats).map((zone, seat) => {
    const [subnet] = parse(subnetCidr(config, zone));
    const block = format(subnet + SEAT_BLOCK_OFFSET);
    return { seat, zone, fixedIp: block, reservation: `${block}/28` };
  });
}

/** First address as a number, and prefix length. */
function parse(cidr: string): [base: number, prefix: number] {
  const bytes = ipaddr.IPv4.networkAddressFromCIDR(cidr).octets;
  return [bytes.reduce((sum, byte) => sum * 256 + byte, 0), ipaddr.parseCIDR(cidr)[1]];
}

function format(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}
