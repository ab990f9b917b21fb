import { existsSync, writeFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline/promises';
import { stringify } from 'yaml';
import { isTimeZone } from '../../../core/facts/time-zones';
import { DEFAULT_FILE, parseConfig, shownPath } from '../../../lib/config/load';
import { estimateCost } from '../../../core/cost/estimate';
import { awakeHoursPerMonth } from '../../../core/cost/month';
import { HOURS_PER_MONTH } from '../../../core/cost/prices';
import { CommandFailed, EXIT } from '../../terminal/errors';
import { answer } from '../answers';
import type { FileOptions } from '../target';

export interface InitOptions extends FileOptions {
  name?: string;
  region?: string;
  myIp?: boolean;
  tunnel?: boolean;
  email?: string;
  domain?: string;
  hours?: string;
  timeZone?: string;
  alwaysOn?: boolean;
  force?: boolean;
  yes?: boolean;
}

/** What the file is made of. */
export interface Wishes {
  name: string;
  region: string;
  operatorCidrs: readonly string[];
  tunnel: boolean;
  email: string | undefined;
  domain: string | undefined;
  /** Office hours; undefined: nothing puts it to sleep. */
  office: { wake: string; sleep: string; timeZone: string } | undefined;
}

const DEFAULTS = { name: 'drowse', region: 'us-east-1', hours: '08:00-19:00' };
const HOURS = /^(\d\d:\d\d)-(\d\d:\d\d)$/;
/** Says from which address it is asked; AWS's own. */
const MY_IP_URL = 'https://checkip.amazonaws.com';
const MY_IP_MS = 10_000;

/** Writes a cluster.yaml: by flags, and on a terminal by questions for what no flag says. */
export async function init(options: InitOptions, signal: AbortSignal): Promise<number> {
  const file = options.config === undefined ? DEFAULT_FILE : path.resolve(options.config);
  if (existsSync(file) && !options.force) {
    throw new CommandFailed(`${file} is there already`, 'Edit it, or let it be replaced: --force.', '', EXIT.wrongUse);
  }
  const asks = process.stdin.isTTY && process.stdout.isTTY && !options.yes && !options.json;
  const answered = asks ? await askForTheRest(options, signal) : options;
  const wishes = await wishesOf(answered, signal);
  const text = textOf(wishes, file);
  // What is not sound is not written: the message is the same as of every other command.
  const config = parseConfig(text, file);
  writeFileSync(file, text, { flag: options.force ? 'w' : 'wx' });
  const month = monthOf(config);
  if (options.json) {
    const { name, region, operatorCidrs } = wishes;
    answer('init', { file, name, region, operatorCidrs: [...operatorCidrs], monthlyUsd: month });
    return EXIT.done;
  }
  console.log(`${shownPath(file)} is written: about $${month.toFixed(0)} a month, as drowse cost shows item by item.`);
  if (wishes.office === undefined) console.log('Nothing puts this cluster to sleep: add schedules, or turn idle on.');
  if (wishes.operatorCidrs.length === 0)
    console.log('Its Kubernetes API is reached through a tunnel: drowse kubectl -- get nodes.');
  console.log('Every other field stands in cluster.example.yaml. Next: drowse deploy.');
  return EXIT.done;
}

function monthOf(config: ReturnType<typeof parseConfig>): number {
  const { awakePerHour, asleepPerMonth } = estimateCost(config);
  const awake = awakeHoursPerMonth(config);
  return awake * awakePerHour + ((HOURS_PER_MONTH - awake) / HOURS_PER_MONTH) * asleepPerMonth;
}

/** @throws CommandFailed if the hours or the address cannot be had */
async function wishesOf(options: InitOptions, signal: AbortSignal): Promise<Wishes> {
  const { name = DEFAULTS.name, region = process.env.AWS_REGION ?? DEFAULTS.region, email, domain } = options;
  const address = options.myIp ? [`${await myAddress(signal)}/32`] : [];
  const tunnel = options.tunnel === true || address.length === 0;
  return { name, region, operatorCidrs: address, tunnel, email, domain, office: officeOf(options) };
}

function officeOf({ alwaysOn, hours = DEFAULTS.hours, timeZone = ownTimeZone() }: InitOptions): Wishes['office'] {
  if (alwaysOn) return undefined;
  const [, wake, sleep] = HOURS.exec(hours) ?? [];
  if (wake !== undefined && sleep !== undefined) return { wake, sleep, timeZone };
  throw new CommandFailed(`--hours ${hours} are no hours`, 'For example: --hours 08:00-19:00.', '', EXIT.wrongUse);
}

/** The time zone of this machine, if the schedules know it. */
function ownTimeZone(): string {
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  return isTimeZone(timeZone) ? timeZone : 'UTC';
}

/** The address under which this machine is seen from outside. @throws CommandFailed */
async function myAddress(signal: AbortSignal): Promise<string> {
  const url = process.env.DROWSE_MY_IP_URL ?? MY_IP_URL;
  let text: string;
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(MY_IP_MS)]) });
    text = (await response.text()).trim();
  } catch (error) {
    signal.throwIfAborted();
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    text = cause instanceof Error ? cause.message : String(cause);
  }
  if (isIPv4(text)) return text;
  throw new CommandFailed(
    `${url} does not say your IPv4 address: ${text.slice(0, 100)}`,
    'Leave --my-ip out, and write your address into operatorCidrs yourself, or do without: the API is then reached through a tunnel.',
  );
}

/** Asks for what no flag says; an empty answer takes what is proposed. */
async function askForTheRest(options: InitOptions, signal: AbortSignal): Promise<InitOptions> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const ask = async (question: string, proposed: string): Promise<string> =>
    (await terminal.question(`${question} [${proposed}] `, { signal })).trim() || proposed;
  try {
    const name = options.name ?? (await ask('Name of the cluster?', DEFAULTS.name));
    const region = options.region ?? (await ask('AWS region?', process.env.AWS_REGION ?? DEFAULTS.region));
    const timeZone = options.timeZone ?? ownTimeZone();
    const hours =
      options.hours ??
      (options.alwaysOn
        ? ''
        : await ask(`Awake from Monday to Friday, in ${timeZone}, at? (none: always)`, DEFAULTS.hours));
    const myIp =
      options.myIp ??
      (options.tunnel
        ? false
        : /^y/i.test(await ask('Open the Kubernetes API to your address, for about $20 a month awake?', 'no')));
    const email =
      options.email ?? ((await ask('E-mail address for news of it?', 'none')).replace(/^none$/, '') || undefined);
    const alwaysOn = options.alwaysOn === true || hours === 'none';
    return {
      ...options,
      ...{ name, region, timeZone, myIp, alwaysOn },
      ...(alwaysOn ? {} : { hours }),
      ...(email !== undefined && { email }),
    };
  } finally {
    terminal.close();
  }
}

/** The file, with a word on each field. */
export function textOf({ name, region, operatorCidrs, tunnel, email, domain, office }: Wishes, file: string): string {
  const schema = path.relative(
    path.dirname(file),
    path.join(path.dirname(DEFAULT_FILE), 'schemas', 'cluster.schema.json'),
  );
  const value = (of: unknown): string => stringify(of, { collectionStyle: 'flow', lineWidth: 0 }).trimEnd();
  const part = (comment: string, ...lines: string[]): string => [`# ${comment}`, ...lines].join('\n');
  const parts = [
    `# yaml-language-server: $schema=${schema}\n#\n# A drowse cluster. Every field that is left out has the default of cluster.example.yaml.`,
    part('Unique in the account and region.', `name: ${value(name)}`, `region: ${value(region)}`),
    tunnel
      ? part(
          'The Kubernetes API is reached through Session Manager: drowse kubectl, drowse tunnel.',
          'apiAccess: tunnel',
        )
      : part(
          'Who reaches the Kubernetes API, through a load balancer that costs about $20 a month while awake.',
          `operatorCidrs: ${value(operatorCidrs)}`,
        ),
    office
      ? part(
          'When it is awake. Somebody who stays late says so: drowse keep-awake 3h.',
          'schedules:',
          '  - name: office',
          '    days: [mon, tue, wed, thu, fri]',
          `    wake: '${office.wake}'`,
          `    sleep: '${office.sleep}'`,
          `    timeZone: ${value(office.timeZone)}`,
          '  # Whoever has woken it at the weekend may forget it.',
          '  - name: weekend',
          '    days: [sat, sun]',
          `    sleep: '${office.sleep}'`,
          `    timeZone: ${value(office.timeZone)}`,
        )
      : part('Nothing puts it to sleep: it bills by the hour until you do (drowse sleep).', 'schedules: []'),
    part(
      'Also asleep when nobody has used it for so long; a warning comes before, and drowse postpone answers it.',
      ...(office ? ['idle: { enabled: true, afterMinutes: 120 }'] : ['# idle: { enabled: true }']),
    ),
    email === undefined
      ? part('Who hears of sleeps, wakes and failures.', '# notifications: { email: you@example.com }')
      : part('Who hears of sleeps, wakes and failures.', `notifications: ${value({ email })}`),
    domain === undefined
      ? part('Host name of the app; point it at the Elastic IP.', '# app: { domain: app.example.com }')
      : part('Host name of the app; point it at the Elastic IP.', `app: ${value({ domain })}`),
    part(
      'One GPU node on spot that carries the Elastic IP. examples/ has more.',
      'pools:',
      '  - name: gpu',
      '    instanceTypes: [g4dn.xlarge]',
      '    market: spot',
      '    min: 1',
      '    gpu: true',
      '    ingress: true',
      '    diskGiB: 100',
    ),
  ];
  return `${parts.join('\n\n')}\n`;
}
