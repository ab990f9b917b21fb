import { seatPlaces, subnetCidr } from '../../core/config/addresses';
import { parseConfig } from '../../lib/config/load';

test('a zone’s subnet follows from its letter alone', () => {
  const vpc = { vpcCidr: '10.0.0.0/16' };
  expect(['a', 'b', 'f', 'h'].map((zone) => subnetCidr(vpc, zone))).toEqual([
    '10.0.0.0/19',
    '10.0.32.0/19',
    '10.0.160.0/19',
    '10.0.224.0/19',
  ]);
});

test('the smallest VPC has room for every zone and a seat in each', () => {
  expect(subnetCidr({ vpcCidr: '172.31.252.0/22' }, 'h')).toBe('172.31.255.128/25');
  const config = parseConfig('vpcCidr: 172.31.252.0/22\nzones: [f, a, c]\ncontrolPlane: { seats: 3 }');
  expect(seatPlaces(config)).toEqual([
    { seat: 0, zone: 'f', fixedIp: '172.31.254.144', reservation: '172.31.254.144/28' },
    { seat: 1, zone: 'a', fixedIp: '172.31.252.16', reservation: '172.31.252.16/28' },
    { seat: 2, zone: 'c', fixedIp: '172.31.253.16', reservation: '172.31.253.16/28' },
  ]);
});

test('a range that is written with host bits counts from its network', () => {
  expect(subnetCidr({ vpcCidr: '10.1.2.3/16' }, 'a')).toBe('10.1.0.0/19');
});
