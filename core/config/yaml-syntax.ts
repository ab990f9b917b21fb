import { type Document, isCollection, isScalar, visit, type YAMLError } from 'yaml';

/** One thing that keeps a text from being YAML: where it stands, and what to do. */
export interface SyntaxProblem {
  offset: number;
  message: string;
}

/** What a person can do about each kind of mistake. */
const REMEDIES: Partial<Record<YAMLError['code'], string>> = {
  TAB_AS_INDENT: 'a tab: indent with spaces',
  MULTIPLE_DOCS: 'a second document begins here (---): keep one cluster a file',
  BAD_SCALAR_START: 'a value that begins with a special character: put it in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a colon too many, or indented too far: put the value in quotes, or align the line',
  TAG_RESOLVE_FAILED: 'a YAML tag (!): remove it',
  BAD_INDENT: 'indented differently from the lines beside it: align it with them',
  BLOCK_IN_FLOW: 'a comma is missing, or a bracket: write [a, b] or { field: value, field: value }',
  UNEXPECTED_TOKEN: 'something is left over here: check commas, brackets and quotes',
};
const NO_COLON = 'a line without its colon: write field: value';

/** What the parser found, in words of somebody who edits a file. */
export function syntaxProblems(document: Document, text: string): SyntaxProblem[] {
  const { yaml } = document.directives ?? {};
  if (yaml?.explicit === true && yaml.version !== '1.2') {
    return [
      { offset: text.indexOf('%YAML'), message: `YAML ${yaml.version}: remove this line, it is read as YAML 1.2` },
    ];
  }
  const errors = [...document.errors, ...document.warnings];
  // A value that runs on over the next line is both, at one place.
  const runsOn = new Set(errors.filter(({ code }) => code === 'MULTILINE_IMPLICIT_KEY').map(({ pos }) => pos[0]));
  return errors
    .filter(({ code, pos }) => code !== 'BLOCK_AS_IMPLICIT_KEY' || !runsOn.has(pos[0]))
    .map((error) => describe(error, document, text));
}

function describe({ code, message, pos }: YAMLError, document: Document, text: string): SyntaxProblem {
  const [from, to] = pos;
  const line = lineAt(text, from);
  if (/^(<{7}|={7}|>{7})( |$)/.test(line)) {
    return { offset: from, message: 'a conflict of Git is left here: keep one side, and take its marks out' };
  }
  if (line.includes('\u00A0')) {
    return { offset: from, message: 'a no-break space, copied from a web page or a document: type a plain space' };
  }
  if (code === 'DUPLICATE_KEY') {
    const key = /^[^:\s]*/.exec(text.slice(from))?.[0] ?? '';
    return { offset: from, message: `${key} stands twice: keep one of them` };
  }
  if (code === 'MULTILINE_IMPLICIT_KEY') return runningOn(text, from, to);
  const open = unclosed(document, text);
  if (open !== undefined && /quote|Flow (sequence|map)/.test(message)) {
    const mark = text[open] ?? '';
    return { offset: open, message: `the ${mark} here is never closed: write ${CLOSING[mark] ?? mark} at its end` };
  }
  if (message.includes('call stack'))
    return { offset: from, message: 'too many brackets in each other: write it flatter' };
  if (message.includes('Implicit map keys')) return { offset: from, message: NO_COLON };
  return { offset: from, message: REMEDIES[code] ?? `${message}: check brackets, quotes and indentation` };
}

/** A value that goes on over the next line: that one is indented too far, or the first has no colon. */
function runningOn(text: string, from: number, to: number): SyntaxProblem {
  const next = text.indexOf('\n', from) + 1;
  if (next === 0 || next > to || indentOf(lineAt(text, next)) <= indentOf(lineAt(text, from))) {
    return { offset: from, message: NO_COLON };
  }
  return {
    offset: next,
    message: 'indented further than the line before, which has its value already: align it with the fields beside it',
  };
}

const CLOSING: Record<string, string> = { '[': ']', '{': '}' };

/** Where the innermost bracket or quote begins that nothing closes. */
function unclosed(document: Document, text: string): number | undefined {
  let found: number | undefined;
  visit(document, {
    Node(_key, node) {
      if (node.range == null || !(isScalar(node) || (isCollection(node) && node.flow === true))) return;
      const [begin, end] = node.range;
      const mark = text[begin] ?? '';
      const closing = CLOSING[mark] ?? mark;
      if (`[{"'`.includes(mark) && (end - begin < 2 || text[end - 1] !== closing)) found = begin;
    },
  });
  return found;
}

function lineAt(text: string, offset: number): string {
  const end = text.indexOf('\n', offset);
  return text.slice(text.lastIndexOf('\n', offset - 1) + 1, end === -1 ? undefined : end);
}

const indentOf = (line: string) => line.length - line.trimStart().length;
