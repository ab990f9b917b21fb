/**
 * The validators of @kubernetes-models check types and required fields but, like an API server that prunes, let unknown fields
 * pass, and a misspelt field is the most common mistake. They are compiled: all that can be seen of their schema is what
 * they look at. So they are shown the object through proxies that note which fields they ask for; a field that nobody asks
 * for, in an object of which others were asked for, is one that the schema does not have.
 */
export function unknownFields(value: object, validate: (data: unknown) => unknown): string[] {
  const seen = new Map<string, Visit>();
  validate(watch(value, '', seen));
  const unknown: string[] = [];
  for (const { path, target, asked, listed } of seen.values()) {
    // Fields were listed: a map with keys of the user's. None were asked for: free-form, for example Helm values.
    if (Array.isArray(target) || listed || asked.size === 0) continue;
    unknown.push(...Object.keys(target).flatMap((key) => (asked.has(key) ? [] : [`${path}.${key}`])));
  }
  return unknown.map((path) => path.slice(1));
}

interface Visit {
  path: string;
  target: object;
  asked: Set<string>;
  listed: boolean;
}

function watch(target: object, path: string, seen: Map<string, Visit>): object {
  const visit = seen.get(path) ?? { path, target, asked: new Set<string>(), listed: false };
  seen.set(path, visit);
  return new Proxy(target, {
    get(object, key, receiver) {
      const value: unknown = Reflect.get(object, key, receiver);
      if (typeof key === 'symbol') return value;
      visit.asked.add(key);
      return typeof value === 'object' && value !== null ? watch(value, `${path}.${key}`, seen) : value;
    },
    ownKeys(object) {
      visit.listed = true;
      return Reflect.ownKeys(object);
    },
  });
}
