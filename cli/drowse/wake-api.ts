import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import type { AwsClient } from 'aws4fetch';
import * as z from 'zod';
import { namesOf, TAG } from '../../core/config/names';
import { CommandFailed, EXIT } from '../terminal/errors';
import { signerOf } from './aws';
import { explainAws } from './explain-aws';
import { type Status, statusAnswer } from './status-answer';
import { notDeployed, type Target } from './target';

const refusal = z.object({ error: z.string().optional(), message: z.string().optional() }).catch({});

/** An answer takes longer than this only if it never comes (ms). */
const PATIENCE_MS = 30_000;
/** Of requests that a passing fault has refused. */
const RETRIES = 3;

type Path =
  | '/status'
  | '/cost'
  | '/runs'
  | '/wake'
  | '/sleep'
  | '/keep-awake'
  | '/skip-next'
  | '/postpone-sleep'
  | '/links'
  | `/links/${string}`
  | '/certificates';

/** The API has said no. */
export class Refused extends CommandFailed {
  constructor(
    /** Status of HTTP. */
    readonly status: number,
    message: string,
    remedy: string,
    exitCode: number = EXIT.failed,
  ) {
    super(message, remedy, '', exitCode);
  }
}

/** The cluster's API, which answers while everything else is off. Requests are signed with the caller's AWS credentials. */
export class WakeApi {
  private constructor(
    /** Address of the API, and of the page. */
    readonly url: string,
    private readonly signer: AwsClient,
    private readonly target: Target,
    private readonly abort: AbortSignal,
  ) {}

  /**
   * Finds the API by the operations stack. `DROWSE_API_URL` names another address, as the embedded AWS has.
   * @param abort ends requests that are under way
   * @throws CommandFailed without credentials, or if the cluster is not deployed
   */
  static async connect(target: Target, abort: AbortSignal): Promise<WakeApi> {
    const { cluster, region } = target;
    const client = new CloudFormationClient({ region });
    try {
      const signer = await signerOf('execute-api', region, RETRIES);
      const url = process.env.DROWSE_API_URL ?? (await findUrl(client, namesOf(cluster).operationsStack));
      if (url === undefined) throw notDeployed(target, 'API', await deployedClusters(client));
      return new WakeApi(url, signer, target, abort);
    } catch (error) {
      throw explainAws(error, target.description);
    }
  }

  /**
   * @returns the body of the answer, checked
   * @throws CommandFailed with the API's own words, or what keeps it from answering
   */
  async request<T>(
    answer: z.ZodType<T>,
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: Path,
    body?: object,
  ): Promise<T> {
    const route = `${method} ${path}`;
    const response = await this.send(route, method, path, body);
    const text = await response.text();
    if (!response.ok) throw this.refused(route, response.status, text);
    const parsed = answer.safeParse(parse(text));
    if (parsed.success) return parsed.data;
    throw new CommandFailed(
      `${route} answered what this version of drowse does not know: ${z.prettifyError(parsed.error)}`,
      'The deployed cluster may be of another version: make deploy brings both together.',
    );
  }

  /** How the cluster is. @throws CommandFailed as {@link request}, and if the API is another cluster's */
  async status(): Promise<Status> {
    const status = await this.request(statusAnswer, 'GET', '/status');
    const { cluster, description } = this.target;
    if (status.cluster === cluster) return status;
    throw new CommandFailed(
      `${this.url} is the API of cluster ${status.cluster}, and not of ${description}`,
      'Unset DROWSE_API_URL, or name that cluster.',
    );
  }

  private async send(route: string, method: string, path: Path, body: object | undefined): Promise<Response> {
    try {
      return await this.signer.fetch(`${this.url}${path}`, {
        method,
        signal: AbortSignal.any([this.abort, AbortSignal.timeout(PATIENCE_MS)]),
        ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      });
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      throw new CommandFailed(
        `${route}: ${this.url} does not answer (${cause instanceof Error ? cause.message : String(cause)})`,
        'Check the network (a proxy, a VPN), then run the command again.',
      );
    }
  }

  private refused(route: string, status: number, text: string): Refused {
    const { error, message } = refusal.parse(parse(text));
    const said = [error, message].filter(Boolean).join(': ') || text.slice(0, 200);
    // What the function behind it refuses has an error's name.
    if (status === 403 && error === undefined) {
      return new Refused(
        status,
        `${route} is not allowed for your AWS identity (${said})`,
        `Use credentials of the cluster’s account that are still valid; they need execute-api:Invoke on the API of ${this.target.cluster}.`,
      );
    }
    if (status >= 500 || status === 429) {
      return new Refused(
        status,
        `${route} failed with ${String(status)} (${said})`,
        'Run the command again in a minute.',
      );
    }
    if (status === 403) return new Refused(status, said, 'Who deploys the cluster can change that.');
    if (status === 409) return new Refused(status, said, 'drowse status shows what is ahead.');
    return new Refused(status, said, 'Correct that, then run the command again.', EXIT.wrongUse);
  }
}

async function findUrl(client: CloudFormationClient, StackName: string): Promise<string | undefined> {
  try {
    const { Stacks = [] } = await client.send(new DescribeStacksCommand({ StackName }));
    return Stacks[0]?.Outputs?.find(({ OutputKey }) => OutputKey === 'ApiUrl')?.OutputValue;
  } catch (error) {
    // CloudFormation's word for a stack that does not exist.
    if (error instanceof Error && error.name === 'ValidationError') return undefined;
    throw error;
  }
}

/** Names of the clusters that are deployed in this account and region. They only help: who may not list stacks gets none. */
async function deployedClusters(client: CloudFormationClient): Promise<string[]> {
  try {
    const { Stacks = [] } = await client.send(new DescribeStacksCommand({}));
    return Stacks.flatMap(({ StackName = '', Tags = [] }) => {
      const name = Tags.find(({ Key }) => Key === TAG.cluster)?.Value;
      return name !== undefined && StackName === namesOf(name).operationsStack ? [name] : [];
    }).sort();
  } catch {
    return [];
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
