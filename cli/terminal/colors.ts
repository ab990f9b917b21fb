import { styleText } from 'node:util';

const NAMES = ['bold', 'dim', 'red', 'green', 'yellow', 'cyan'] as const;
type Paint = (text: string | number) => string;

/**
 * Colours for one stream: only on a terminal that has a size, and not where NO_COLOR asks for none (https://no-color.org) or the terminal has none.
 * Node's own check is left out: it colours files and pipes where FORCE_COLOR is set for some other program.
 *
 * @param stream its `isTTY` is undefined for a file or pipe
 */
export function colors(stream: { isTTY?: boolean; columns?: number }): Record<(typeof NAMES)[number], Paint> {
  const sized = stream.isTTY === true && stream.columns !== 0;
  const colored = sized && (process.env.NO_COLOR ?? '') === '' && process.env.TERM !== 'dumb';
  const paint = (name: (typeof NAMES)[number]): Paint =>
    colored ? (text) => styleText(name, String(text), { validateStream: false }) : String;
  return Object.fromEntries(NAMES.map((name) => [name, paint(name)])) as Record<(typeof NAMES)[number], Paint>;
}
