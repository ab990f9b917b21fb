import { randomBytes } from 'node:crypto';
import {
  GetParameterCommand,
  ParameterAlreadyExists,
  ParameterNotFound,
  PutParameterCommand,
  type SSMClient,
} from '@aws-sdk/client-ssm';

/** How long a function believes the key that it has read (ms): a new one holds everywhere after that. */
const BELIEVED_MS = 60_000;

/** The key that signs links: 32 random bytes in a SecureString, made with the first link, in no template and no log. */
export class LinkKey {
  private known: { key: Buffer; until: number } | undefined;

  constructor(
    private readonly ssm: SSMClient,
    private readonly parameter: string,
    private readonly now: () => number = Date.now,
  ) {}

  /** Undefined if no link was ever made. */
  async read(): Promise<Buffer | undefined> {
    if (this.known && this.known.until > this.now()) return this.known.key;
    try {
      const { Parameter } = await this.ssm.send(
        new GetParameterCommand({ Name: this.parameter, WithDecryption: true }),
      );
      return this.believe(Buffer.from(Parameter?.Value ?? '', 'base64'));
    } catch (error) {
      if (error instanceof ParameterNotFound) return undefined;
      throw error;
    }
  }

  /** The key, made if there is none; of two who make it at once, the first counts. */
  async readOrMake(keyId: string): Promise<Buffer> {
    const there = await this.read();
    if (there !== undefined) return there;
    try {
      return await this.write(keyId, false);
    } catch (error) {
      if (!(error instanceof ParameterAlreadyExists)) throw error;
      return (await this.read()) ?? this.write(keyId, true);
    }
  }

  /** Another key from now on: every link that was made before is void, within a minute. */
  async replace(keyId: string): Promise<void> {
    await this.write(keyId, true);
  }

  private async write(keyId: string, Overwrite: boolean): Promise<Buffer> {
    const key = randomBytes(32);
    const Description = 'Signs the links of the page that wakes the cluster';
    await this.ssm.send(
      new PutParameterCommand({
        ...{ Name: this.parameter, Type: 'SecureString', KeyId: keyId, Description, Overwrite },
        Value: key.toString('base64'),
      }),
    );
    return this.believe(key);
  }

  private believe(key: Buffer): Buffer {
    this.known = { key, until: this.now() + BELIEVED_MS };
    return key;
  }
}
