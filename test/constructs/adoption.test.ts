import { adoptionOf, AmbiguousAdoption, type Retained } from '../../lib/adoption';
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
