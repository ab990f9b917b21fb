import { createHash } from 'node:crypto';
import * as z from 'zod';
import { type Access, LONGEST_NAME, personOf } from '../../core/access/person';
import { certificateBody } from '../../core/api/bodies';
import { api, type ApiAnswer, type ApiRoute, bodyOf } from '../shared/api/api';
import { logger } from '../shared/clients/logger';
import { type RunCommandDeps, runOnSeat } from '../shared/commands/run-command';
import { runCommandDeps } from '../shared/step/deps';
import { ApiNotReady, CommandFailed, CommandInProgress } from '../shared/step/errors';
import { env } from './env';

/** What a seat answers; its script is userdata/commands/issue-certificate.sh. */
const issued = z.object({ certificate: z.string(), ca: z.string(), expiresAt: z.iso.datetime() });

interface Deps {
  access: Access;
  command: RunCommandDeps;
}

/**
 * Has a seat sign a certificate for whoever asks, by what `access:` says of them; nothing that the request says of its owner counts.
 * Asked again with the same request, it answers with what came of it: the function itself waits for nothing.
 */
export const issueCertificate =
  ({ access, command }: Deps): ApiRoute =>
  async (request) => {
    if (Object.keys(access).length === 0) {
      return refusal(
        404,
        'NoAccess',
        'access: of cluster.yaml names nobody: this cluster has one shared administrator',
      );
    }
    const body = await bodyOf(request, certificateBody);
    const arn = request.caller.replace(/^api:/, '');
    const person = personOf(access, arn);
    if (person === undefined) {
      return refusal(
        403,
        'NotMapped',
        `${arn} is not in access: of cluster.yaml; who is on it, and deploys, can add it`,
      );
    }
    const { user, groups } = person;
    if (user.length > LONGEST_NAME) {
      const message = `${user} is longer than the ${String(LONGEST_NAME)} characters of a name in a certificate: give the role a short name in access:, or the session`;
      return refusal(409, 'NameTooLong', message);
    }
    const key = createHash('sha256')
      .update(JSON.stringify([user, groups, body.request]))
      .digest('hex');
    try {
      const answer = await runOnSeat(command, {
        execution: 'certificate',
        command: 'issue-certificate',
        key,
        parameters: { User: user, Groups: groups.join(','), Request: body.request },
        executionSeconds: 60,
        result: issued,
      });
      logger.info('A certificate was issued', { arn, user, groups, expiresAt: answer.expiresAt });
      return { statusCode: 200, body: { user, groups, ...answer } };
    } catch (error) {
      if (error instanceof CommandInProgress) {
        return { statusCode: 202, body: { user, groups, message: 'A seat signs it: ask again in a second' } };
      }
      if (error instanceof ApiNotReady) return refusal(409, error.name, `${error.message}. Is the cluster awake?`);
      if (error instanceof CommandFailed) return refusal(502, error.reason ?? error.name, error.message);
      throw error;
    }
  };

function refusal(statusCode: number, error: string, message: string): ApiAnswer {
  return { statusCode, body: { error, message } };
}

export const handler = api(
  {
    name: 'issue-certificate',
    env,
    deps: (env) => ({ access: env.ACCESS, command: runCommandDeps(env) }),
  },
  { 'POST /certificates': issueCertificate },
);
