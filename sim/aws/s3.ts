import { createHash } from 'node:crypto';
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  NoSuchBucket,
  NoSuchKey,
  NotFound,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { details } from './errors';
import { Service } from './service';

const PAGE = 1000;

/** S3: one bucket whose objects are short texts. */
export class S3 extends Service {
  readonly prefix = 's3';
  readonly objects = new Map<string, string>();
  /** Keys that nobody may delete. */
  refuses: RegExp | undefined;

  constructor(private readonly bucket: string) {
    super();
    this.on(ListObjectsV2Command, ({ Bucket, Prefix = '', ContinuationToken }) => {
      this.check(Bucket);
      const keys = [...this.objects.keys()].filter((key) => key.startsWith(Prefix)).sort();
      const from = Number(ContinuationToken ?? 0);
      return {
        Contents: keys.slice(from, from + PAGE).map((Key) => ({ Key, Size: this.objects.get(Key)?.length })),
        ...(from + PAGE < keys.length && { IsTruncated: true, NextContinuationToken: String(from + PAGE) }),
      };
    });
    this.on(HeadObjectCommand, ({ Bucket, Key = '', ChecksumMode }) => {
      this.check(Bucket);
      const text = this.objects.get(Key);
      if (text === undefined) throw new NotFound(details('UnknownError'));
      const ChecksumSHA256 = createHash('sha256').update(text).digest('base64');
      return { ContentLength: text.length, ...(ChecksumMode === 'ENABLED' && { ChecksumSHA256 }) };
    });
    this.on(GetObjectCommand, ({ Bucket, Key = '' }) => {
      this.check(Bucket);
      const text = this.objects.get(Key);
      if (text === undefined) throw new NoSuchKey(details('The specified key does not exist.'));
      return { Body: text };
    });
    this.on(DeleteObjectsCommand, ({ Bucket, Delete }) => {
      this.check(Bucket);
      const keys = (Delete?.Objects ?? []).map(({ Key = '' }) => Key);
      if (keys.length > PAGE)
        throw new S3ServiceException({
          name: 'MalformedXML',
          $fault: 'client',
          ...details('The XML you provided was not well-formed'),
        });
      const refused = keys.filter((key) => this.refuses?.test(key));
      for (const key of keys) if (!refused.includes(key)) this.objects.delete(key);
      return { Errors: refused.map((Key) => ({ Key, Code: 'AccessDenied', Message: 'Access Denied' })) };
    });
  }

  override answer(command: { input: object }): object {
    const answer = super.answer(command);
    // The SDK's stream of an object's content, as far as a handler reads it; functions cannot be cloned.
    if ('Body' in answer) return { ...answer, Body: { transformToString: () => Promise.resolve(answer.Body) } };
    return answer;
  }

  private check(bucket: string | undefined): void {
    if (bucket !== this.bucket) throw new NoSuchBucket(details('The specified bucket does not exist'));
  }
}
