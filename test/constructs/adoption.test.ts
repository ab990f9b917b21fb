import { adoptionOf, AmbiguousAdoption, missingFrom, type Retained } from '../../lib/adoption';
import { synthesize } from '../support/stacks';

const template = synthesize('controlPlane: { seats: 3 }').templates.foundation as never;
const nothing: Retained = { elasticIps: [], volumes: [], bucket: undefined, table: undefined };
const address = { PublicIp: '203.0.113.7', AllocationId: 'eipalloc-1' };

test('each retained thing is matched with its resource, volumes by their seat', () => {
  const volumes = [2, 0, 1].map((seat) => ({ VolumeId: `vol-${String(seat)}`, seat: String(seat) }));
  const adoption = adoptionOf(template, { elasticIps: [address], volumes, bucket: 'b', table: 't' });
  const byId = (prefix: string) => Object.entries(adoption).find(([id]) => id.startsWith(prefix))?.[1];
  expect(byId('ElasticIp')).toEqual(address);
  for (const seat of ['0', '1', '2']) expect(byId(`Seat${seat}State`)).toEqual({ VolumeId: `vol-${seat}` });
  expect(byId('Bucket')).toEqual({ BucketName: 'b' });
  expect(byId('Table')).toEqual({ TableName: 't' });
});

test('what is gone is made anew', () => {
  expect(adoptionOf(template, nothing)).toEqual({});
});

test('two candidates are for a person to tell apart', () => {
  const two = [address, { PublicIp: '203.0.113.8', AllocationId: 'eipalloc-2' }];
  expect(() => adoptionOf(template, { ...nothing, elasticIps: two })).toThrow(AmbiguousAdoption);
  const volumes = ['vol-1', 'vol-2'].map((VolumeId) => ({ VolumeId, seat: '1' }));
  expect(() => adoptionOf(template, { ...nothing, volumes })).toThrow('There are 2 volumes of seat 1');
});

test('what the stack holds already is left alone, and does not stand in the way of the rest', () => {
  const volumes = [0, 1, 2].map((seat) => ({ VolumeId: `vol-${String(seat)}`, seat: String(seat) }));
  const there = { elasticIps: [address], volumes, bucket: 'b', table: 't' };
  const all = adoptionOf(template, there);
  const idOf = (prefix: string) => Object.keys(all).find((id) => id.startsWith(prefix))!;
  const held = new Map([
    [idOf('ElasticIp'), address.PublicIp],
    [idOf('Seat0State'), 'vol-0'],
    [idOf('Bucket'), 'b'],
  ]);
  const second = { PublicIp: '203.0.113.8', AllocationId: 'eipalloc-2' };
  const rest = adoptionOf(...missingFrom(held, template, { ...there, elasticIps: [address, second] }));
  expect(Object.keys(rest).sort()).toEqual([idOf('Seat1State'), idOf('Seat2State'), idOf('Table')].sort());
  const whole = new Map(Object.entries(all).map(([id, identifier]) => [id, Object.values(identifier)[0]!]));
  expect(adoptionOf(...missingFrom(whole, template, there))).toEqual({});
});
