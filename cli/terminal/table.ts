import { stripVTControlCharacters } from 'node:util';
import Table from 'cli-table3';

type Cell = string | number;

interface TableOptions {
  /** Columns that hold numbers, by index. */
  right?: readonly number[];
  /** Where it goes to: what does not fit a terminal is shown as a list. */
  out?: { isTTY?: boolean; columns?: number };
}

/**
 * Rows below a head, as a table; on a terminal that is too narrow for that as a list, an entry a row with a line a cell, as a table
 * that the terminal wraps cannot be read.
 */
export function tableOf(
  heads: readonly string[],
  cells: readonly (readonly Cell[])[],
  { right = [], out = process.stdout }: TableOptions = {},
): string {
  // A column without a name that holds nothing only takes room.
  const kept = heads.flatMap((name, index) => (name !== '' || cells.some((row) => row[index] !== '') ? [index] : []));
  const head = kept.map((index) => heads[index] ?? '');
  const rows = cells.map((row) => kept.map((index) => row[index] ?? ''));
  const table = new Table({
    head: [...head],
    style: { head: [], border: [], compact: true },
    colAligns: kept.map((index) => (right.includes(index) ? 'right' : 'left')),
  });
  for (const row of rows) table.push([...row]);
  const text = table.toString();
  const width = Math.max(...text.split('\n').map((line) => stripVTControlCharacters(line).length));
  const room = out.isTTY === true && out.columns !== undefined && out.columns > 0 ? out.columns : Infinity;
  if (width <= room) return text;
  if (head.length === 2) return [head, ...rows].map(([what = '', value = '']) => `${what}: ${value}`).join('\n');
  return rows.map((row) => entry(head, row)).join('\n');
}

function entry(head: readonly string[], [first = '', ...rest]: readonly Cell[]): string {
  const lines = rest.map((cell, index) => [head[index + 1] ?? '', String(cell)] as const);
  return [
    String(first),
    ...lines.filter(([, cell]) => cell !== '').map(([name, cell]) => `  ${name === '' ? '' : `${name}: `}${cell}`),
  ].join('\n');
}
