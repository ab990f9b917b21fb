import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttp, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttps, type Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { selfSigned } from './certificate';
import { autoScaling, ec2, json, monitoring, s3, type Answer, type Request } from './cloud-services';
import type { CloudState, Instance } from './cloud-state';
import { ACCESS_KEY, SECRET_KEY, SESSION_TOKEN, verifySignature } from './sigv4';

const IMDS_TOKEN = 'test-imds-token';
/** Whose bucket the tests' cloud has, too. */
const ACCOUNT = '123456789012';

/** What a request says before its body. */
type Heads = Pick<IncomingMessage, 'method' | 'url' | 'headers'>;

/**
 * The AWS that nodes talk to in the tests: metadata service, EC2, SSM, S3 and CloudWatch Logs, with every signature verified
 * and every request that is not one of theirs refused. Nodes keep calling the real names; curl is told to connect here.
 */
export class Cloud {
  readonly problems: string[] = [];
  /** Where calls are written down, in the order of their arrival, for the instance that makes them. */
  onCall: (line: string) => void = () => undefined;
  private constructor(
    readonly state: CloudState,
    private readonly https: HttpsServer,
    private readonly http: Server,
    readonly certificate: string,
    /** The instance that the metadata service describes: each node has a cloud of its own, with the state in common. */
    public self: string,
  ) {}

  static async start(state: CloudState, self = Object.keys(state.instances)[0]!, host = '127.0.0.1'): Promise<Cloud> {
    const pair = certificatePair();
    // The servers are part of the cloud, and the cloud is what answers: it is there before either gets a request.
    let cloud: Cloud | undefined = undefined as Cloud | undefined;
    const receive = (request: IncomingMessage, response: ServerResponse): void => cloud?.receive(request, response);
    const https = createHttps({ key: pair.key, cert: pair.cert }, receive);
    const http = createHttp(receive);
    cloud = new Cloud(state, https, http, pair.file, self);
    await Promise.all([https, http].map((server) => new Promise<void>((done) => server.listen(0, host, done))));
    // A test that fails before it stops its cloud must not keep the whole run from ending.
    for (const server of [https, http]) server.unref();
    return cloud;
  }

  get ports(): { https: number; http: number } {
    return { https: (this.https.address() as AddressInfo).port, http: (this.http.address() as AddressInfo).port };
  }

  /** ARN of its own instance. */
  get arn(): string {
    return `arn:aws:ec2:${this.state.region}:${ACCOUNT}:instance/${this.self}`;
  }

  get instance(): Instance {
    return this.state.instances[this.self]!;
  }

  async stop(): Promise<void> {
    await Promise.all(
      [this.https, this.http].map((server) => {
        server.closeAllConnections();
        return new Promise((done) => server.close(done));
      }),
    );
  }

  private receive(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const answer = this.answer(request, Buffer.concat(chunks), (body) => verifySignature(request, body).service);
      if (answer === undefined) response.destroy();
      else response.writeHead(answer.status, answer.headers).end(request.method === 'HEAD' ? undefined : answer.body);
    });
  }

  /**
   * What AWS or the metadata service answers, whichever the host is; undefined cuts the connection.
   * @param signedFor finds out for which service a request to AWS was signed; throws with what is wrong
   */
  answer(request: Heads, body: Buffer, signedFor: (body: Buffer) => string): Answer | undefined {
    let answer: Answer | undefined;
    try {
      answer = request.headers.host === '169.254.169.254' ? this.metadata(request) : this.aws(request, body, signedFor);
    } catch (error) {
      this.problems.push(`${request.method ?? ''} ${request.headers.host ?? ''}${request.url ?? ''}: ${String(error)}`);
      answer = { status: 403, body: '<Error><Code>SignatureDoesNotMatch</Code></Error>' };
    }
    if (answer?.call !== undefined) this.onCall(answer.call);
    const date = new Date(Date.now() + this.state.clockAhead * 1000).toUTCString();
    return answer && { ...answer, headers: { date, ...answer.headers } };
  }

  private metadata(request: Heads): Answer | undefined {
    if (this.state.metadataUp > 0) this.state.metadataUp--;
    else if (this.state.metadataDown > 0) {
      this.state.metadataDown--;
      return undefined;
    }
    if (request.method === 'PUT' && request.url === '/latest/api/token') return { status: 200, body: IMDS_TOKEN };
    if (request.headers['x-aws-ec2-metadata-token'] !== IMDS_TOKEN) return { status: 401, body: '' };
    const own = this.instance;
    const answers: Record<string, string> = {
      'dynamic/instance-identity/document': JSON.stringify(
        {
          instanceId: own.id,
          instanceType: own.type,
          availabilityZone: own.zone,
          privateIp: own.privateIp,
          region: this.state.region,
          accountId: ACCOUNT,
          billingProducts: null,
        },
        null,
        2,
      ),
      'meta-data/instance-id': own.id,
      'meta-data/mac': own.mac,
      'meta-data/services/partition': 'aws',
      'meta-data/iam/info': JSON.stringify({ InstanceProfileArn: `arn:aws:iam::${ACCOUNT}:instance-profile/node` }),
      [`meta-data/network/interfaces/macs/${own.mac}/interface-id`]: own.interfaceId,
      [`meta-data/network/interfaces/macs/${own.mac}/subnet-id`]: own.subnet,
      'meta-data/iam/security-credentials/': 'node-role',
      'meta-data/iam/security-credentials/node-role': JSON.stringify({
        AccessKeyId: ACCESS_KEY,
        SecretAccessKey: SECRET_KEY,
        Token: SESSION_TOKEN,
      }),
    };
    const body = answers[(request.url ?? '').replace('/latest/', '')];
    if (body === undefined) throw new Error('no such metadata');
    return { status: 200, body };
  }

  private aws(request: Heads, body: Buffer, signedFor: (body: Buffer) => string): Answer | undefined {
    const host = request.headers.host ?? '';
    const endpoint = `${this.state.region}.${this.state.domain}`;
    const bucketHost = `${this.state.bucket}.s3.${endpoint}`;
    if (host === bucketHost && this.state.bucketDown) return undefined;
    // What time it is may be asked without a signature; everything else may not.
    const [path = '', query = ''] = (request.url ?? '').split('?');
    const isSigned = query.includes('X-Amz-Signature=');
    if (request.method === 'HEAD' && host === bucketHost && !isSigned) return { status: 403, body: '' };
    const service = signedFor(body);
    if (host !== (service === 's3' ? bucketHost : `${service}.${endpoint}`))
      throw new Error(`signed for ${service}, sent elsewhere`);
    const key = decodeURIComponent((isSigned ? path : (request.url ?? '')).slice(1));
    const form = new URLSearchParams(body.toString());
    const target = String(request.headers['x-amz-target'] ?? '');
    const action =
      service === 'ec2' || service === 'monitoring' || service === 'autoscaling'
        ? (form.get('Action') ?? '')
        : service === 's3'
          ? `${request.method ?? ''} ${key}`
          : (target.split('.')[1] ?? '');
    const of = target === '' ? '' : ` ${(JSON.parse(body.toString()) as { Name?: string }).Name ?? ''}`;
    const refused = Object.entries(this.state.refuse).find(([call]) => `${action}${of}`.startsWith(call))?.[1];
    if (refused !== undefined) {
      const text = ['ec2', 's3', 'monitoring', 'autoscaling'].includes(service)
        ? `<Error><Code>${refused}</Code></Error>`
        : JSON.stringify({ __type: refused });
      return { status: 400, body: text, call: `${action} (${refused})` };
    }
    const answer =
      service === 'ec2'
        ? ec2(this.state, this.instance, form)
        : service === 'monitoring'
          ? monitoring(this.state, form)
          : service === 'autoscaling'
            ? autoScaling(this.state, form)
            : service === 's3'
              ? s3(this.state, request.method ?? '', key, request.headers, body)
              : json(this.state, target, JSON.parse(body.toString()) as Request);
    const told = answer.call === undefined ? answer : { ...answer, call: `aws ${service} ${answer.call}` };
    if (!this.state.lost.includes(action)) return told;
    this.state.lost = this.state.lost.filter((one) => one !== action);
    return { ...told, status: 503, body: '' };
  }
}

let pair: { key: string; cert: string; file: string } | undefined;
afterAll(() => {
  if (pair !== undefined) rmSync(dirname(pair.file), { recursive: true, force: true });
});

/** One self-signed certificate for all of AWS, made once in a test run. */
function certificatePair(): { key: string; cert: string; file: string } {
  if (pair === undefined) {
    const folder = mkdtempSync(join(tmpdir(), 'drowse-cloud-'));
    const endpoints = ['us-east-1.amazonaws.com', 'us-east-1.amazonaws.eu'];
    const names = `subjectAltName=${endpoints.map((one) => `DNS:*.${one},DNS:*.s3.${one}`).join(',')}`;
    const { key, certificate } = selfSigned(folder, 'aws', 'aws', names);
    pair = { key: readFileSync(key, 'utf8'), cert: readFileSync(certificate, 'utf8'), file: certificate };
  }
  return pair;
}
