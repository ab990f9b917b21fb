import pc from 'picocolors';

/**
 * Colours for one stream: only on a terminal, and not where NO_COLOR asks for none (https://no-color.org).
 *
 * The library's own default looks at standard output alone, and colours files and pipes wherever CI is set.
 *
 * @param stream its `isTTY` is undefined for a file or pipe, and given undefined, the library would look for itself
 */
export function colors(stream: { isTTY?: boolean }): ReturnType<typeof pc.createColors> {
  return pc.createColors(stream.isTTY === true && (process.env.NO_COLOR ?? '') === '' && process.env.TERM !== 'dumb');
}
