import type { RequestContext } from '@aws-lambda-powertools/event-handler/types';
import { HttpError } from '@aws-lambda-powertools/event-handler/http';
import type { Right } from '../../core/links/link';
import type { ApiAnswer, ApiRoute } from '../shared/api/api';
import type { ClusterStore } from '../shared/record/cluster-store';
import { InvalidInput } from '../shared/step/errors';
import { demand, type Visit } from './visit';

type Body = Record<string, unknown>;

/** Something that a link may ask for. */
export interface Change {
  /** The rights that it takes; they may depend on what is asked. */
  needs: (body: Body) => readonly Right[];
  run: ApiRoute;
  /** What the page's form sends, as the route reads it. */
  read?: (body: Body, now: Date) => Body;
}

/** Leaving out a wake is another thing than leaving out a sleep. */
export const skipNeeds = ({ workflow }: Body): readonly Right[] => [workflow === 'wake' ? 'sleep' : 'keep-awake'];

/** The page offers hours; the route wants a moment. */
export function untilOfHours({ hours, ...body }: Body, now: Date): Body {
  if (hours === undefined) return body;
  const until = new Date(now.getTime() + Number(hours) * 3_600_000);
  if (Number.isNaN(until.getTime())) throw new InvalidInput('hours: is no number');
  return { ...body, until: until.toISOString() };
}

interface ChangeDeps {
  store: Pick<ClusterStore, 'recordEvent'>;
  now?: () => Date;
}

/**
 * Does what a link asks for, and keeps who asked for what and why, also if he may not.
 * @param name of the change, for the record
 */
export async function makeChange(
  { store, now = () => new Date() }: ChangeDeps,
  [name, { needs, run, read = (asked: Body) => asked }]: readonly [string, Change],
  { link, body }: Visit,
  { req, event }: Pick<RequestContext, 'req' | 'event'>,
): Promise<ApiAnswer> {
  if (body === undefined) throw new InvalidInput('The body of the request is neither a form nor an object of JSON');
  const by = `link:${link.name}`;
  const at = now();
  const keep = (status: number) =>
    store.recordEvent(`${at.toISOString()}#link-${link.id}#${name}`, {
      what: name,
      by,
      link: link.id,
      ...(typeof body.reason === 'string' && { reason: body.reason.slice(0, 120) }),
      status,
    });
  try {
    demand(link, needs(body));
    const answer = await run({ req, event, caller: by, body: read(body, at) });
    await keep(answer.statusCode);
    return answer;
  } catch (error) {
    if (error instanceof HttpError) await keep(error.statusCode);
    throw error;
  }
}
