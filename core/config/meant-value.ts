import { WEEKDAYS } from '../schedule/weekdays';
import { schemaAt } from './schema-at';

/** How else a value may have been meant: each way gives what to write, or the text as it is. */
const WAYS: readonly ((text: string) => string)[] = [
  (text) => text.trim(),
  // Letters that nobody sees, copied from a web page or a chat.
  (text) => text.replaceAll(/\p{Cf}/gu, ''),
  (text) => text.trim().toLowerCase(),
  // Quotes of a word processor, which YAML takes for letters.
  (text) => text.replaceAll(/[“”„‘’«»'"]/g, ''),
  // A name of words: my-cluster of My Cluster.
  (text) => (/^[A-Za-z][\w .-]*\w$/.test(text) ? text.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-') : text),
  // 08:00 of 8, 8:00, 8.00, 8am, 0800; 20:00 of 8pm.
  timeOfDay,
  // 2026-12-24 of 20261224 and 24.12.2026; 12/24/2026 could be of either order.
  (text) => text.replace(/^(\d{4})(\d\d)(\d\d)$/, '$1-$2-$3'),
  (text) => text.replace(/^(\d\d)\.(\d\d)\.(\d{4})$/, '$3-$2-$1'),
  (text) => text.replace(/^(\d{4})[/.](\d\d)[/.](\d\d)$/, '$1-$2-$3'),
  (text) => text.replace(/(?<=^\d{4}-\d\d-\d\d)T.*$/, ''),
  // The letter of a zone: b of eu-central-1b.
  (text) => text.toLowerCase().replace(/^[a-z]+-[a-z]+-\d+(?=[a-z]$)/, ''),
  (text) => text.replace(/^v(?=\d)/, ''),
  // Parts of an address of the web or of a mail: a host, a folder's name, an image without its tag.
  (text) => text.replace(/^https?:\/\/([^/:]+).*$/, '$1'),
  (text) => text.replace(/^https?:\/\//, ''),
  (text) => text.replace(/:[\w.-]+$/, ''),
  (text) => text.replace(/^.*\//, ''),
  (text) => text.replace(/^.*<(.*)>$/, '$1'),
  // As Git takes them from a person.
  (text) => text.replace(/^(\w+@[\w.-]+):(?!\/)/, 'ssh://$1/'),
  (text) => text.replace(/^(?:http:\/\/)?(?=[\w-]+(\.[\w-]+)+\/)/, 'https://'),
  (text) => text.toLowerCase().replace(/^([a-z0-9]+)[-_ ]([a-z0-9]+)$/, '$1.$2'),
  // Numbers of an address do not begin with 0.
  (text) => text.replaceAll(/\b0+(?=\d)/g, ''),
  (text) => `${text.trim()}/32`,
];

/** What may stand there of what somebody probably meant; undefined if there is none. */
export function meantValue(text: string, path: readonly PropertyKey[]): string | undefined {
  const schema = schemaAt(path);
  return WAYS.map((way) => way(text)).find((value) => value !== text && schema?.safeParse(value).success === true);
}

/** A text as the list that it was probably meant to be; undefined if it is none. */
export function asList(text: string, path: readonly PropertyKey[]): string[] | undefined {
  const items = path.at(-1) === 'days' ? daysOf(text) : text.split(/[\s,;]+/).filter(Boolean);
  const [place, schema] = [[...path, 0], schemaAt([...path, 0])];
  const values = items.map((item) => (schema?.safeParse(item).success === true ? item : meantValue(item, place)));
  return values.length > 0 && values.every((value) => value !== undefined) ? values : undefined;
}

const WORKDAYS = WEEKDAYS.slice(0, 5);
const DAYS_BY_WORD: Readonly<Record<string, readonly string[]>> = {
  ...{ weekdays: WORKDAYS, workdays: WORKDAYS, weekend: WEEKDAYS.slice(5) },
  ...{ daily: WEEKDAYS, all: WEEKDAYS, everyday: WEEKDAYS, '*': WEEKDAYS },
};

/** Days of the week of `mon-fri`, `Mon, Tue`, `weekdays`. */
function daysOf(text: string): string[] {
  const short = (word: string) => word.trim().slice(0, 3).toLowerCase();
  return text.split(/[,;]/).flatMap((part) => {
    const word = part.trim().toLowerCase();
    if (DAYS_BY_WORD[word]) return [...DAYS_BY_WORD[word]];
    const [first = '', last] = word.split(/ *(?:-|–|to) */).map(short);
    if (last === undefined) return word.split(/\s+/).map(short);
    const [from, to] = [first, last].map((day) => (WEEKDAYS as readonly string[]).indexOf(day)) as [number, number];
    return from === -1 || to === -1 ? [part] : WEEKDAYS.slice(from, to + 1);
  });
}

const TIMES_BY_WORD: Readonly<Record<string, string>> = {
  noon: '12:00',
  midday: '12:00',
  midnight: '00:00',
  '24:00': '00:00',
};

function timeOfDay(text: string): string {
  const word = TIMES_BY_WORD[text.trim().toLowerCase()];
  if (word !== undefined) return word;
  const match = /^(?<hour>\d{1,2})[:.h]?(?<minute>\d\d)?(?::\d\d)? ?(?<half>[ap])?\.?m?\.?$/i.exec(text.trim());
  if (!match?.groups) return text;
  const { hour = '', minute = '00', half } = match.groups;
  const afternoon = half?.toLowerCase() === 'p' ? 12 : 0;
  const hours = half === undefined ? Number(hour) : (Number(hour) % 12) + afternoon;
  return `${String(hours).padStart(2, '0')}:${minute}`;
}

/** Units by the end of a field's name: how many of the field's own one is. */
const UNITS: readonly (readonly [field: RegExp, units: Readonly<Record<string, number>>])[] = [
  [/Minutes$/, { m: 1, min: 1, mins: 1, minutes: 1, h: 60, hour: 60, hours: 60, d: 1440, day: 1440, days: 1440 }],
  [/Days$/, { d: 1, day: 1, days: 1, w: 7, week: 7, weeks: 7 }],
  [/GiB$/, { g: 1, gb: 1, gi: 1, gib: 1, t: 1024, tb: 1024, ti: 1024, tib: 1024 }],
  [/Usd$/, { usd: 1, $: 1 }],
  [/Percent$/, { '%': 1, percent: 1 }],
];

/** The number of an amount with its unit: 60 of `1h` in minutes, 100 of `$100`; undefined for a unit that the field does not know. */
export function withoutUnit(text: string, field: string): number | undefined {
  const [, before = '', amount = '', after = ''] = /^([$]?) ?(\d+(?:\.\d+)?) ?([A-Za-z$%]*)$/.exec(text.trim()) ?? [];
  const units = UNITS.find(([name]) => name.test(field))?.[1];
  const one = units?.[`${before}${after}`.toLowerCase()];
  return one === undefined ? undefined : Number(amount) * one;
}
