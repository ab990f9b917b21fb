import { GetObjectCommand, HeadObjectCommand, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import * as z from 'zod';
import type { ClusterStore } from '../record/cluster-store';
import { SnapshotNotVerified } from '../step/errors';

/** Where snapshots lie in the cluster's bucket: one folder a set. Beside them: sealed authorities, of no set. */
export const SNAPSHOTS = 'snapshots/';

/** Files of a set, as `userdata/commands/snapshot-etcd.sh` writes them; the manifest comes last. */
const DATA = 'etcd.db';
const MANIFEST = 'manifest.json';
const SET = [DATA, 'authorities.age', MANIFEST];

/** `snapshots/<time, dashes for colons>-<reason>/<file>` */
const KEY = /^(snapshots\/(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d)Z-([a-z]+))\/([^/]+)$/;

/** What a set says of itself, as far as anything here reads it. */
const manifest = z.object({
  cluster: z.string(),
  at: z.iso.datetime(),
  reason: z.string(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.int(),
  revision: z.int(),
});

/** A snapshot that was verified. */
export interface VerifiedSnapshot extends z.infer<typeof manifest> {
  key: string;
}

/** A folder of snapshots, by the names of what lies in it. */
export interface SnapshotSet {
  folder: string;
  /** When it was taken, epoch ms. */
  at: number;
  /** `sleep`, `schedule` or `manual`. */
  reason: string;
  /** All its objects. */
  keys: string[];
  /** True if it has its manifest, which is written last. */
  whole: boolean;
}

/** What steps that look at snapshots work with. */
export interface SnapshotDeps {
  cluster: string;
  bucket: string;
  s3: S3Client;
  store: ClusterStore;
}

/** The sets in the bucket, newest first. */
export async function listSnapshots(s3: S3Client, bucket: string): Promise<SnapshotSet[]> {
  const sets = new Map<string, SnapshotSet>();
  for (const key of await listKeys(s3, bucket, SNAPSHOTS)) {
    const [, folder, date, hour, minute, second, reason = '', file] = KEY.exec(key) ?? [];
    if (folder === undefined) continue;
    const at = Date.parse(`${date ?? ''}T${hour ?? ''}:${minute ?? ''}:${second ?? ''}Z`);
    const set = sets.get(folder) ?? { folder, at, reason, keys: [], whole: false };
    set.keys.push(key);
    set.whole ||= file === MANIFEST;
    sets.set(folder, set);
  }
  return [...sets.values()].sort((a, b) => b.at - a.at);
}

/** Key of a set's data: what names the set. */
export function dataOf({ folder }: Pick<SnapshotSet, 'folder'>): string {
  return `${folder}/${DATA}`;
}

/**
 * Reads a set's manifest, and compares it with what the bucket has: every file there, the data of that size and with
 * that digest by S3's own account (it computed the digest when it took the object).
 * @throws SnapshotNotVerified saying what is not so
 */
export async function verifySnapshot(
  { cluster, bucket, s3 }: Omit<SnapshotDeps, 'store'>,
  key: string,
): Promise<VerifiedSnapshot> {
  const folder = key.replace(/\/[^/]*$/, '');
  const there = await listKeys(s3, bucket, `${folder}/`);
  const missing = SET.map((file) => `${folder}/${file}`).filter((file) => !there.includes(file));
  if (missing.length > 0) throw new SnapshotNotVerified(`The bucket has no ${missing.join(', ')}`);
  const said = manifest.safeParse(await readJson(s3, bucket, `${folder}/${MANIFEST}`));
  if (!said.success)
    throw new SnapshotNotVerified(`The manifest of ${folder} is wrong: ${z.prettifyError(said.error)}`);
  const { sha256, bytes } = said.data;
  if (said.data.cluster !== cluster)
    throw new SnapshotNotVerified(`${folder} is a snapshot of the cluster ${said.data.cluster}`);
  const head = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: 'ENABLED' }));
  if (head.ContentLength !== bytes)
    throw new SnapshotNotVerified(`${key} has ${String(head.ContentLength)} bytes, its manifest says ${String(bytes)}`);
  const digest = Buffer.from(head.ChecksumSHA256 ?? '', 'base64').toString('hex');
  if (digest !== sha256)
    throw new SnapshotNotVerified(`${key} has the digest ${digest || 'none'}, its manifest says ${sha256}`);
  return { key, ...said.data };
}

async function listKeys(s3: S3Client, Bucket: string, Prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { Contents = [] } of paginateListObjectsV2({ client: s3 }, { Bucket, Prefix })) {
    keys.push(...Contents.map(({ Key = '' }) => Key));
  }
  return keys;
}

async function readJson(s3: S3Client, Bucket: string, Key: string): Promise<unknown> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
  const text = (await Body?.transformToString()) ?? '';
  try {
    return JSON.parse(text);
  } catch {
    return text; // Not JSON: the schema refuses it.
  }
}
