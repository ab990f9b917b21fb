/**
 * DynamoDB's condition and update expressions, as far as the cluster's table uses them: comparisons, existence, AND, OR,
 * NOT, parentheses; SET (values, paths, `if_not_exists`, + and -) and REMOVE. Anything else is an error, as in AWS.
 */

/** An item, or a part of one. */
export type Item = Record<string, unknown>;

/** What `#name` and `:value` stand for. */
export interface Substitutions {
  names: Readonly<Record<string, string>>;
  values: Readonly<Record<string, unknown>>;
}

/** AWS: "ValidationException: Invalid …Expression". */
export class InvalidExpression extends Error {
  override readonly name = 'ValidationException';
}

/** True if the condition holds for the item; one that does not exist is an empty item. */
export function holds(condition: string, item: Item, substitutions: Substitutions): boolean {
  const parser = new Parser(condition, item, substitutions);
  const result = parser.or();
  parser.end();
  return result;
}

/** The item after the update; the given one is left as it is. */
export function updated(update: string, item: Item, substitutions: Substitutions): Item {
  const result = structuredClone(item);
  // Every value is that of before the update, whatever the order of the clauses.
  const parser = new Parser(update, item, substitutions);
  const changes: (() => void)[] = [];
  while (!parser.atEnd()) {
    const clause = parser.next().toUpperCase();
    do {
      const path = parser.path();
      if (clause === 'REMOVE') {
        changes.push(() => remove(result, path));
      } else if (clause === 'SET') {
        parser.expect('=');
        const value = parser.sum();
        changes.push(() => set(result, path, value));
      } else throw new InvalidExpression(`unknown clause ${clause}`);
    } while (parser.accept(','));
  }
  for (const change of changes) change();
  return result;
}

class Parser {
  private readonly tokens: string[];
  private position = 0;

  constructor(
    private readonly text: string,
    private readonly item: Item,
    private readonly substitutions: Substitutions,
  ) {
    this.tokens = text.match(/[#:]?\w+|<>|<=|>=|[=<>(),.+-]/g) ?? [];
  }

  or(): boolean {
    let result = this.and();
    while (this.acceptWord('OR')) result = this.and() || result;
    return result;
  }

  private and(): boolean {
    let result = this.not();
    while (this.acceptWord('AND')) result = this.not() && result;
    return result;
  }

  private not(): boolean {
    if (this.acceptWord('NOT')) return !this.not();
    if (this.accept('(')) {
      const result = this.or();
      this.expect(')');
      return result;
    }
    const word = this.tokens[this.position];
    if (word === 'attribute_exists' || word === 'attribute_not_exists') {
      this.position += 1;
      this.expect('(');
      const exists = get(this.item, this.path()) !== undefined;
      this.expect(')');
      return exists === (word === 'attribute_exists');
    }
    return this.comparison();
  }

  private comparison(): boolean {
    const left = this.operand();
    const operator = this.next();
    const right = this.operand();
    // An attribute that is not there fits no comparison but "not equal".
    if (operator === '<>') return JSON.stringify(left) !== JSON.stringify(right);
    if (left === undefined || right === undefined) return false;
    if (operator === '=') return JSON.stringify(left) === JSON.stringify(right);
    const order = compare(left, right);
    const results: Record<string, boolean> = { '<': order < 0, '<=': order <= 0, '>': order > 0, '>=': order >= 0 };
    return results[operator] ?? this.fail(`unknown operator ${operator}`);
  }

  sum(): unknown {
    let value = this.operand();
    for (;;) {
      if (this.accept('+')) value = Number(value) + Number(this.operand());
      else if (this.accept('-')) value = Number(value) - Number(this.operand());
      else return value;
    }
  }

  private operand(): unknown {
    const token = this.tokens[this.position] ?? '';
    if (token.startsWith(':')) {
      this.position += 1;
      return token in this.substitutions.values ? this.substitutions.values[token] : this.fail(`no value for ${token}`);
    }
    if (token === 'if_not_exists') {
      this.position += 1;
      this.expect('(');
      const found = get(this.item, this.path());
      this.expect(',');
      const fallback = this.operand();
      this.expect(')');
      return found ?? fallback;
    }
    return get(this.item, this.path());
  }

  path(): string[] {
    const path = [this.name()];
    while (this.accept('.')) path.push(this.name());
    return path;
  }

  private name(): string {
    const token = this.next();
    if (!token.startsWith('#')) return /^\w+$/.test(token) ? token : this.fail(`${token} is not a name`);
    return this.substitutions.names[token] ?? this.fail(`no name for ${token}`);
  }

  next(): string {
    const token = this.tokens[this.position];
    this.position += 1;
    return token ?? this.fail('it ends too early');
  }

  accept(token: string): boolean {
    if (this.tokens[this.position] !== token) return false;
    this.position += 1;
    return true;
  }

  private acceptWord(word: string): boolean {
    if (this.tokens[this.position]?.toUpperCase() !== word) return false;
    this.position += 1;
    return true;
  }

  expect(token: string): void {
    if (!this.accept(token)) this.fail(`expected ${token}`);
  }

  atEnd(): boolean {
    return this.position >= this.tokens.length;
  }

  end(): void {
    if (!this.atEnd()) this.fail(`unexpected ${this.tokens[this.position] ?? ''}`);
  }

  private fail(why: string): never {
    throw new InvalidExpression(`Invalid expression "${this.text}": ${why}`);
  }
}

function compare(left: unknown, right: unknown): number {
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  return String(left) < String(right) ? -1 : Number(String(left) > String(right));
}

function get(item: Item, path: readonly string[]): unknown {
  return path.reduce<unknown>((part, name) => (part as Item | undefined)?.[name], item);
}

function parentOf(item: Item, path: readonly string[]): Item {
  const parent = get(item, path.slice(0, -1));
  if (typeof parent !== 'object' || parent === null) {
    throw new InvalidExpression('The document path provided in the update expression is invalid for update');
  }
  return parent as Item;
}

function set(item: Item, path: readonly string[], value: unknown): void {
  parentOf(item, path)[path.at(-1) ?? ''] = value;
}

function remove(item: Item, path: readonly string[]): void {
  Reflect.deleteProperty(parentOf(item, path), path.at(-1) ?? '');
}
