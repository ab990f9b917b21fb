import { execFileSync } from 'node:child_process';

/*
 * Where bash evaluates text. In `(( ))`, `$(( ))`, `[[ a -eq b ]]`, subscripts of arrays, `${text:offset}`, `let`, `printf -v` and
 * `[[ -v name[…] ]]` the value of a variable is read as an expression, and one such as `a[$(id)]` runs a command. shellcheck does not
 * look at where values come from; this does, on the syntax tree of shfmt.
 */

/** A node of shfmt's syntax tree. */
interface Node {
  Type?: string;
  Pos?: { Line: number };
  [field: string]: unknown;
}

/** A variable whose value bash would evaluate, and nothing shows that it is a number. */
export interface Finding {
  file: string;
  line: number;
  what: string;
}

/** Bash's own variables that only ever hold numbers. */
const NUMBERS_OF_BASH = new Set(['SECONDS', 'EPOCHSECONDS', 'RANDOM', 'LINENO', 'PPID', 'UID', '#', '?', '$', '!']);
/** Functions that put a checked number into the variable that is their first argument. */
const GATES = new Set(['number_of_minor', 'whole_number', 'free_bytes']);
/** Functions that take the name of an associative array, and see it under one of their own. */
const TAKE_MAPS = new Set(['load_flat', 'load_map', 'list_of']);
/** Functions of ours that write to the variable that is their first argument. */
const WRITERS = new Set([...GATES, 'json_string', 'json_quote', 'printf -v']);
const COMPARISONS = new Set(['-eq', '-ne', '-lt', '-le', '-gt', '-ge']);

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A node and everything below it. */
function* below(value: unknown): Generator<Node> {
  if (Array.isArray(value)) {
    for (const one of value) yield* below(one);
  } else if (isNode(value)) {
    yield value;
    for (const one of Object.values(value)) yield* below(one);
  }
}

/** What is put together to one word: literals as they are, everything else as a node. */
function partsOf(word: unknown): Node[] {
  return isNode(word) && Array.isArray(word.Parts) ? (word.Parts as Node[]) : [];
}

/** The text of a word without any expansion. */
function literalOf(word: unknown): string | undefined {
  const parts = partsOf(word).flatMap((part) => (part.Type === 'DblQuoted' ? partsOf(part) : [part]));
  return parts.every(({ Type }) => Type === 'Lit' || Type === 'SglQuoted')
    ? parts.map(({ Value }) => textOf(Value)).join('')
    : undefined;
}

/** What stands for an expansion in a {@link shapeOf shape}. */
const EXPANSION = '\uFFFC';

/** The text of a leaf of the tree. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** A literal, in the form of a regular expression's subject: expansions as one character. */
const shapeOf = (word: unknown): string =>
  partsOf(word)
    .map(({ Type, Value }) => (Type === 'Lit' ? String(Value) : EXPANSION))
    .join('');

const nameOf = (node: unknown): string => (isNode(node) ? ((node as { Value?: string }).Value ?? '') : '');

/** Whether bash has nothing to evaluate in an expansion: a length, or the indices of an array. */
const isCount = (expansion: Node): boolean => expansion.Length === true || expansion.Excl === true;

/** Everything that the scripts, taken together, say of variables. */
class Scripts {
  /** What is assigned to each variable, anywhere in its scope: `number` or why it is none. */
  private readonly assigned = new Map<string, string[]>();
  private readonly associative = new Set<string>();
  /** Names that each function declares as its own. */
  private readonly own = new Map<string, Set<string>>();
  /** The function that is looked at. */
  private inside = '';
  readonly findings: Finding[] = [];

  constructor(files: readonly { name: string; tree: Node }[]) {
    for (const { tree } of files) this.walk(tree, (node) => this.declare(node));
    for (const { tree } of files) this.walk(tree, (node) => this.learn(node));
    for (const { name, tree } of files) this.walk(tree, (node) => this.judge(name, node));
  }

  /** Goes through a tree, and knows in which function it is. */
  private walk(value: unknown, look: (node: Node) => void): void {
    if (Array.isArray(value)) for (const one of value) this.walk(one, look);
    if (!isNode(value)) return;
    const before = this.inside;
    if (value.Type === 'FuncDecl') this.inside = nameOf(value.Name);
    look(value);
    for (const one of Object.values(value)) this.walk(one, look);
    this.inside = before;
  }

  private declare(node: Node): void {
    if (node.Type !== 'DeclClause') return;
    const args = (node.Args ?? []) as Node[];
    const flags = args.flatMap(({ Naked, Value }) => (Naked === true ? [literalOf(Value) ?? ''] : []));
    const isGlobal =
      this.inside === '' || flags.some((flag) => /^-\w*g/.test(flag)) || nameOf(node.Variant) === 'readonly';
    const own = this.own.get(this.inside) ?? new Set();
    this.own.set(this.inside, own);
    for (const { Name } of args) {
      if (!isGlobal && isNode(Name)) own.add(nameOf(Name));
      // A name for another variable (-n) stands for a map: that its callers give one is looked at where they call.
      if (isNode(Name) && flags.some((flag) => /^-\w*[An]/.test(flag))) this.associative.add(this.scoped(nameOf(Name)));
    }
  }

  /** A variable by its scope: that of the function which declares it, or all of the scripts. */
  private scoped(name: string): string {
    return this.own.get(this.inside)?.has(name) === true ? `${this.inside}/${name}` : name;
  }

  private learn(node: Node): void {
    if (node.Type === 'DeclClause') {
      for (const one of (node.Args ?? []) as Node[]) if (isNode(one.Name) && one.Naked !== true) this.assign(one);
    } else if (node.Type === 'CallExpr') {
      for (const one of (node.Assigns ?? []) as Node[]) this.assign(one);
      this.learnCall((node.Args ?? []) as Node[]);
    } else if (node.Type === 'CStyleLoop') {
      for (const name of namesIn(node.Init)) this.note(name, 'number');
    } else if (node.Type === 'WordIter') {
      const items = (node.Items ?? []) as Node[];
      const counts = items.every((item) => /^\d+$/.test(literalOf(item) ?? '') || this.isNumber(item));
      this.note(nameOf(node.Name), counts && items.length > 0 ? 'number' : 'words of a list');
    }
  }

  private assign(one: Node): void {
    const name = nameOf(one.Name);
    if (isNode(one.Array)) {
      for (const element of (one.Array.Elems ?? []) as Node[]) this.note(name, this.kindOf(element.Value));
    } else if (one.Naked !== true) this.note(name, one.Value === undefined ? 'nothing' : this.kindOf(one.Value));
  }

  private learnCall(args: readonly Node[]): void {
    const words = args.map((arg) => literalOf(arg));
    const [command = ''] = words;
    if (command === 'read' || command === 'mapfile') {
      for (const word of words.slice(1))
        if (word !== undefined && /^[a-zA-Z_]\w*$/.test(word)) this.note(word, 'what was read');
    } else if (command === 'printf' && words[1] === '-v') {
      this.note(words[2] ?? '', words[3] === '%d' ? 'number' : 'printed text');
    } else if (WRITERS.has(command)) this.note(words[1] ?? '', GATES.has(command) ? 'number' : 'text');
  }

  private note(name: string, kind: string): void {
    const key = this.scoped(name);
    this.assigned.set(key, [...(this.assigned.get(key) ?? []), kind]);
  }

  private kindOf(word: unknown): string {
    const literal = literalOf(word);
    if (literal !== undefined) return /^-?\d*$/.test(literal) ? 'number' : `the text ${literal}`;
    return this.isNumber(word) ? 'number' : 'text';
  }

  /** Whether a word is made of expansions that can only be numbers. A variable is looked up when all are known. */
  private isNumber(word: unknown): boolean {
    const parts = partsOf(word).flatMap((part) => (part.Type === 'DblQuoted' ? partsOf(part) : [part]));
    return (
      parts.length > 0 &&
      parts.every((part) => {
        if (part.Type === 'Lit') return /^-?\d+$/.test(String(part.Value));
        if (part.Type === 'ArithmExp') return true;
        return part.Type === 'ParamExp' && (isCount(part) || NUMBERS_OF_BASH.has(nameOf(part.Param)));
      })
    );
  }

  /** Why a variable is no number; undefined if it is one. */
  private whyText(name: string): string | undefined {
    if (NUMBERS_OF_BASH.has(name)) return undefined;
    const kinds = this.assigned.get(this.scoped(name));
    if (kinds === undefined) return 'never assigned a number';
    return kinds.find((kind) => kind !== 'number' && kind !== 'nothing');
  }

  private judge(file: string, node: Node): void {
    const line = node.Pos?.Line ?? 0;
    // What a gate has matched whole is what makes it one.
    if (GATES.has(this.inside) && this.inside !== 'free_bytes') return;
    const tell = (name: string, where: string) => {
      const why = this.whyText(name);
      if (why !== undefined) this.findings.push({ file, line, what: `${name} in ${where}: ${why}` });
    };
    const arithmetic = (expression: unknown, where: string) => {
      for (const name of namesIn(expression)) tell(name, where);
    };
    if (node.Type === 'ArithmExp' || node.Type === 'ArithmCmd') arithmetic(node.X, 'arithmetic');
    else if (node.Type === 'CStyleLoop') arithmetic([node.Init, node.Cond, node.Post], 'a loop');
    else if (node.Type === 'LetClause') arithmetic(node.Exprs, 'let');
    else if (node.Type === 'BinaryTest' && COMPARISONS.has(OPERATORS[Number(node.Op)] ?? String(node.Op)))
      arithmetic([node.X, node.Y], 'a comparison of numbers');
    else if (node.Type === 'ParamExp') {
      if (isNode(node.Slice)) arithmetic([node.Slice.Offset, node.Slice.Length], 'an offset');
      this.subscript(nameOf(node.Param), node.Index, arithmetic);
    } else if (node.Index !== undefined && isNode(node.Name)) this.subscript(nameOf(node.Name), node.Index, arithmetic);
    else if (node.Type === 'UnaryTest') {
      // bash expands what stands in the brackets, and then once more.
      if (new RegExp(`^[A-Za-z_]\\w*\\[.*${EXPANSION}`).test(shapeOf(node.X)))
        this.findings.push({ file, line, what: `a subscript in [[ -v ]] is expanded twice` });
    } else if (node.Type === 'CallExpr') {
      const args = (node.Args ?? []) as Node[];
      const [command = '', second] = args.map((arg) => literalOf(arg));
      if (TAKE_MAPS.has(command) && !this.associative.has(this.scoped(literalOf(args[1]) ?? '')))
        this.findings.push({ file, line, what: `${command} is given what is no associative array` });
      const target = command === 'printf' && second === '-v' ? args[2] : WRITERS.has(command) ? args[1] : undefined;
      const name = literalOf(target) ?? '';
      if (target !== undefined && !/^[A-Za-z_]\w*(\[[A-Za-z]+\])?$/.test(name) && !isFirstArgument(target))
        this.findings.push({ file, line, what: `${command} writes to a variable whose name is not written down` });
    }
  }

  private subscript(array: string, index: unknown, arithmetic: (expression: unknown, where: string) => void): void {
    if (index === undefined || index === null || this.associative.has(this.scoped(array))) return;
    arithmetic(index, `a subscript of ${array}`);
  }
}

/** Names of the variables that bash would evaluate in an expression. */
function namesIn(expression: unknown): string[] {
  const names: string[] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit);
    if (!isNode(value)) return;
    // What a command prints is text; what is counted is none.
    if (value.Type === 'CmdSubst') names.push('the output of a command');
    else if (value.Type === 'ArithmExp') return;
    else if (value.Type === 'ParamExp') {
      if (!isCount(value)) names.push(nameOf(value.Param));
    } else if (value.Type === 'Lit') {
      if (/^[A-Za-z_]\w*$/.test(String(value.Value))) names.push(String(value.Value));
    } else Object.values(value).forEach(visit);
  };
  visit(expression);
  return names;
}

/** `"$1"`: a function that writes to where its caller says; the callers are looked at. */
function isFirstArgument(word: Node): boolean {
  const parts = partsOf(word).flatMap((part) => (part.Type === 'DblQuoted' ? partsOf(part) : [part]));
  return parts.length === 1 && parts[0]?.Type === 'ParamExp' && nameOf(parts[0].Param) === '1';
}

/** Numbers by which shfmt's tree names the operators of `[[ ]]`, filled from the tree of a known text. */
const OPERATORS: string[] = [];

function treeOf(text: string): Node {
  return JSON.parse(execFileSync('shfmt', ['--to-json', '-ln', 'bash'], { input: text }).toString()) as Node;
}

function learnOperators(): void {
  if (OPERATORS.length > 0) return;
  for (const operator of COMPARISONS)
    for (const node of below(treeOf(`[[ 1 ${operator} 2 ]]`)))
      if (node.Type === 'BinaryTest') OPERATORS[Number(node.Op)] = operator;
}

/**
 * Where these scripts, which share their variables, let bash evaluate what nothing shows to be a number.
 * @param files text by name
 */
export function evaluatedText(files: Readonly<Record<string, string>>): Finding[] {
  learnOperators();
  return new Scripts(Object.entries(files).map(([name, text]) => ({ name, tree: treeOf(text) }))).findings;
}
