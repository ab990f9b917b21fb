/** The value that a text of JSON stands for; anything else as it is, for a schema to refuse. */
export function parseJson(text: unknown): unknown {
  try {
    return typeof text === 'string' ? JSON.parse(text) : text;
  } catch {
    return text; // The schema says what is wrong with it.
  }
}
