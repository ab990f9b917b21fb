import { linksAnswer, newLinkAnswer } from '../../../core/api/answers';
import { RIGHTS, RIGHTS_IN_WORDS } from '../../../core/links/link';
import { whoAsked } from '../../../core/words';
import { CommandFailed, EXIT } from '../../terminal/errors';
import { tableOf } from '../../terminal/table';
import { answer } from '../answers';
import * as z from 'zod';
import { type TargetOptions, targetOf } from '../target';
import { WakeApi } from '../wake-api';

export interface LinkOptions extends TargetOptions {
  rights?: string;
  days: string;
  list?: boolean;
  revoke?: string;
  revokeAll?: boolean;
}

const done = z.object({ message: z.string() });
const EXAMPLES = 'For example: drowse link Ann --rights wake,keep-awake, or drowse link --list.';

/** Makes a link to the page for somebody without AWS credentials, lists the links, or revokes them. */
export async function link(name: string | undefined, options: LinkOptions, signal: AbortSignal): Promise<number> {
  const { list, revoke, revokeAll } = options;
  const asked = [name !== undefined, list === true, revoke !== undefined, revokeAll === true].filter(Boolean);
  if (asked.length !== 1) {
    throw new CommandFailed(
      'link needs a name, --list, --revoke or --revoke-all, and one of them',
      EXAMPLES,
      '',
      EXIT.wrongUse,
    );
  }
  const target = targetOf(options);
  const wanted = name === undefined ? undefined : { name, ...readOptions(options) };
  const api = await WakeApi.connect(target, signal);
  const say = (text: string): void => {
    console.log(`${target.description}\n${text}`);
  };
  if (wanted) {
    const made = await api.request(newLinkAnswer, 'POST', '/links', wanted);
    const url = `${api.url}/#${made.secret}`;
    if (options.json) answer('link', { ...made, url });
    else
      say(
        `${made.message}: may ${made.rights.map((right) => RIGHTS_IN_WORDS[right]).join(', ')}.\nWhoever has it may do that; send it to nobody else.\n\n${url}`,
      );
  } else if (list === true) {
    const found = await api.request(linksAnswer, 'GET', '/links');
    if (options.json) answer('link', found);
    else say(found.links.length === 0 ? 'There is no link.' : linkTable(found.links));
  } else {
    const ended = await api.request(done, 'DELETE', `/links/${encodeURIComponent(revoke ?? 'all')}`);
    if (options.json) answer('link', ended);
    else say(`${ended.message}.`);
  }
  return EXIT.done;
}

function readOptions({ rights, days }: LinkOptions): { rights?: string[]; days: number } {
  const listed = rights?.split(',').map((one) => one.trim());
  const unknown = listed?.find((one) => !(RIGHTS as readonly string[]).includes(one));
  if (unknown !== undefined) {
    throw new CommandFailed(`There is no right ${unknown}`, `There are ${RIGHTS.join(', ')}.`, '', EXIT.wrongUse);
  }
  if (!/^\d{1,3}$/.test(days)) {
    throw new CommandFailed(`--days ${days} is no number of days`, EXAMPLES, '', EXIT.wrongUse);
  }
  return { ...(listed && { rights: listed }), days: Number(days) };
}

function linkTable(links: z.output<typeof linksAnswer>['links']): string {
  const rows = links.map(({ id, name, rights, expiresAt, revokedAt, createdBy }) => {
    const until = revokedAt === undefined ? expiresAt : `revoked ${revokedAt}`;
    return [id, name, rights.join(', '), until, whoAsked(createdBy)];
  });
  return tableOf(['ID', 'for', 'may', 'until', 'made by'], rows);
}
