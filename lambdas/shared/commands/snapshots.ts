import { GetObjectCommand, HeadObjectCommand, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import * as z from 'zod';
import FORMS from '../../../userdata/snapshot-manifest.json';
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

/** A manifest is a few hundred bytes. */
const MANIFEST_LIMIT = 4096;

const form = (field: keyof typeof FORMS) => new RegExp(`^(${FORMS[field]})$`);
const text = (field: keyof typeof FORMS) => z.string().regex(form(field));
const number = (field: keyof typeof FORMS) => z.int().refine((value) => form(field).test(String(value)));

/** What a set says of itself: every field, in the form that the scripts which restore it ask for as well. */
const manifest = z.strictObject({
  schema: number('schema'),
  cluster: text('cluster'),
  at: text('at'),
  reason: text('reason'),
  sha256: text('sha256'),
  bytes: number('bytes'),
  revision: number('revision'),
  kubernetes: text('kubernetes'),
  etcd: text('etcd'),
} satisfies Record<keyof typeof FORMS, z.ZodType>);

/** A snapshot that was verified. */
export interface VerifiedSnapshot extends Pick<
  z.infer<typeof manifest>,
  'cluster' | 'at' | 'reason' | 'sha256' | 'bytes' | 'revision'
> {
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
  const said = manifest.safeParse(await readManifest(s3, bucket, folder));
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
  const { schema: _, kubernetes: __, etcd: ___, ...verified } = said.data;
  return { key, ...verified };
}

async function listKeys(s3: S3Client, Bucket: string, Prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { Contents = [] } of paginateListObjectsV2({ client: s3 }, { Bucket, Prefix })) {
    keys.push(...Contents.map(({ Key = '' }) => Key));
  }
  return keys;
}

async function readManifest(s3: S3Client, Bucket: string, folder: string): Promise<unknown> {
  const Key = `${folder}/${MANIFEST}`;
  const { ContentLength = 0 } = await s3.send(new HeadObjectCommand({ Bucket, Key }));
  if (ContentLength > MANIFEST_LIMIT)
    throw new SnapshotNotVerified(`The manifest of ${folder} has ${String(ContentLength)} bytes, which none has`);
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
  const text = (await Body?.transformToString()) ?? '';
  try {
    return JSON.parse(text);
  } catch {
    return text; // Not JSON: the schema refuses it.
  }
}
