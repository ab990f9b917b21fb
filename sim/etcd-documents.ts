import { createHash } from 'node:crypto';
import { TAG } from '../core/config/names';
import type { Ec2, SimInstance } from './aws/ec2';
import type { S3 } from './aws/s3';
import type { CommandAnswer, DocumentScript } from './aws/ssm';
import type { Etcd } from './etcd';
import type { InCluster } from './in-cluster';

interface World {
  ec2: Ec2;
  s3: S3;
  cluster: string;
  inside: InCluster;
  etcd: Etcd;
}

/** Answers for the documents that save and rebuild etcd, and for the one that packs diagnostics; sets really lie in the bucket. */
export function etcdDocuments({ ec2, s3, cluster, inside, etcd }: World): Record<string, DocumentScript> {
  return {
    'snapshot-etcd': ({ Reason = '' }) => {
      const at = new Date().toISOString().replace(/\.\d+/, '');
      const folder = `snapshots/${at.replaceAll(':', '-')}-${Reason}`;
      const data = JSON.stringify({ cluster, nodes: [...inside.nodes] });
      const sha256 = createHash('sha256').update(data).digest('hex');
      const facts = { bytes: data.length, sha256, revision: 1000 + inside.snapshots.length, at };
      const effect = () => {
        s3.objects.set(`${folder}/etcd.db`, data);
        s3.objects.set(`${folder}/authorities.age`, 'sealed');
        const manifest = { schema: 1, cluster, reason: Reason, ...facts, kubernetes: '1.36.2', etcd: '3.6.8' };
        s3.objects.set(`${folder}/manifest.json`, JSON.stringify(manifest));
        inside.snapshots.push(folder);
      };
      return { seconds: 4, result: { ok: true, key: `${folder}/etcd.db`, ...facts }, effect };
    },
    'restore-etcd': ({ Key = '', DryRun = 'true' }, instanceId) => {
      const dryRun = DryRun === 'true';
      const manifest = s3.objects.get(Key.replace(/etcd\.db$/, 'manifest.json'));
      if (manifest === undefined) return refused('SnapshotMissing', `the bucket has no ${Key}`);
      const { revision, at } = JSON.parse(manifest) as { revision: number; at: string };
      const result = { ok: true, key: Key, revision, at, dryRun };
      if (dryRun) return { seconds: 20, result };
      const seat = ec2.get(instanceId);
      const volume = ec2.volumes.find(({ tags }) => tags[TAG.seat] === seat.tags[TAG.seat]);
      if (volume?.lost !== true)
        return refused('VolumeNotBlank', 'the volume has etcd data; a restore never overwrites any');
      if (readySeats(ec2).length > 0) return refused('QuorumExists', 'the other seats have a quorum');
      const effect = () => {
        volume.lost = false;
        etcd.restore(seat);
        seat.tags[TAG.phase] = 'ready';
        seat.tags[TAG.phaseAt] = new Date().toISOString();
      };
      return { seconds: 45, result, effect };
    },
    'collect-diagnostics': (_parameters, instanceId) => {
      const key = `logs/${instanceId}/diagnostics.tar.gz`;
      return { seconds: 15, result: { ok: true, key, bytes: 7 }, effect: () => s3.objects.set(key, 'archive') };
    },
  };
}

/** Seats whose API answers. */
export function readySeats(ec2: Ec2): SimInstance[] {
  return ec2.in('running').filter(({ tags }) => tags[TAG.role] === 'seat' && tags[TAG.phase] === 'ready');
}

function refused(error: string, message: string): CommandAnswer {
  return { seconds: 1, result: { ok: false, error, message } };
}
