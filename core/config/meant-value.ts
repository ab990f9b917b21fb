import { WEEKDAYS } from '../schedule/weekdays';
import { schemaAt } from './schema-at';

/** How else a value may have been meant: each way gives what to write, or the text as it is. */
const WAYS: readonly ((text: string) => string)[] = [
  (text) => text.trim(),
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
  // The letter of a zone: b of eu-central-1b.
  (text) => text.toLowerCase().replace(/^[a-z]+-[a-z]+-\d+(?=[a-z]$)/, ''),
  (text) => text.replace(/^v(?=\d)/, ''),
  (text) => text.replace(/^https?:\/\/([^/]+).*$/, '$1'),
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

function timeOfDay(text: string): string {
  const match = /^(?<hour>\d{1,2})[:.h]?(?<minute>\d\d)?(?::\d\d)? ?(?<half>[ap])?\.?m?\.?$/i.exec(text.trim());
  if (!match?.groups) return text;
  const { hour = '', minute = '00', half } = match.groups;
  const afternoon = half?.toLowerCase() === 'p' ? 12 : 0;
  const hours = half === undefined ? Number(hour) : (Number(hour) % 12) + afternoon;
  return `${String(hours).padStart(2, '0')}:${minute}`;
}
