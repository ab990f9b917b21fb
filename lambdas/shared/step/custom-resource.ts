import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { check } from './check';
import { InvalidInput } from './errors';
import { logger } from '../clients/logger';
import { withContext } from './middleware';

/** What CloudFormation asks of a custom resource, and where it wants the answer. */
const request = z.object({
  RequestType: z.enum(['Create', 'Update', 'Delete']),
  ResponseURL: z.url(),
  StackId: z.string(),
  RequestId: z.string(),
  LogicalResourceId: z.string(),
  PhysicalResourceId: z.string().optional(),
  ResourceProperties: z.record(z.string(), z.unknown()),
});
export type CustomResourceRequest = z.output<typeof request>;

/** CloudFormation could not be told how a request ended: the function runs again. */
export class AnswerNotDelivered extends Error {
  override readonly name = 'AnswerNotDelivered';
}

/**
 * ID of a resource that was never made: CloudFormation asks to delete what it was told of a failed creation.
 */
export const NEVER_MADE = 'never-made';
/** CloudFormation takes no answer of more than 4096 bytes. */
const MAX_REASON = 1_000;
const ANSWER_ATTEMPTS = 4;
const ANSWER_TIMEOUT_MS = 5_000;

/** How a request is answered; replaced in tests. */
export interface Answering {
  put: (url: string, body: string) => Promise<{ status: number }>;
  wait: (ms: number) => Promise<unknown>;
}

const answering: Answering = {
  put: (url, body) =>
    fetch(url, {
      method: 'PUT',
      body,
      headers: { 'content-type': '' },
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    }),
  wait: (ms) => sleep(ms),
};

/**
 * Answers CloudFormation with what `change` returns (the resource's ID) or throws. Every end is told, a thrown error too,
 * for CloudFormation would wait an hour for an answer that does not come.
 * @throws AnswerNotDelivered if CloudFormation can't be reached; Lambda then calls again
 */
export async function answerRequest(
  event: unknown,
  change: (request: CustomResourceRequest) => Promise<string>,
  { put, wait }: Answering = answering,
): Promise<void> {
  const asked = check(request, event, InvalidInput, 'request of CloudFormation');
  const { StackId, RequestId, LogicalResourceId } = asked;
  const answer = await change(asked).then(
    (PhysicalResourceId) => ({ Status: 'SUCCESS', PhysicalResourceId }),
    (thrown: unknown) => {
      logger.error('Request failed', thrown as Error);
      const Reason = (thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown)).slice(
        0,
        MAX_REASON,
      );
      return { Status: 'FAILED', PhysicalResourceId: asked.PhysicalResourceId ?? NEVER_MADE, Reason };
    },
  );
  const body = JSON.stringify({ StackId, RequestId, LogicalResourceId, ...answer });
  for (let attempt = 1; ; attempt++) {
    const refused = await put(asked.ResponseURL, body).then(
      ({ status }) => (status < 300 ? undefined : `status ${String(status)}`),
      (thrown: unknown) => String(thrown),
    );
    if (refused === undefined) return;
    // The address is a secret of a kind: whoever has it can answer.
    if (attempt === ANSWER_ATTEMPTS) throw new AnswerNotDelivered(`CloudFormation did not take the answer: ${refused}`);
    await wait(1_000 * 2 ** attempt);
  }
}

/** Wraps what a custom resource does as a Lambda handler. */
export function customResource(change: () => (request: CustomResourceRequest) => Promise<string>) {
  return withContext((event) => answerRequest(event, (asked) => change()(asked)));
}
