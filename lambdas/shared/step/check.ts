import * as z from 'zod';

/** The value as its schema types it; otherwise the given error, with a message that names each field. */
export function check<T extends z.ZodType>(
  schema: T,
  value: unknown,
  Invalid: new (message: string) => Error,
  what: string,
): z.output<T> {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new Invalid(`The ${what} is wrong: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
