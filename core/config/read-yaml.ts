import type { Path } from './problem';
import { syntaxProblems } from './yaml-syntax';
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
} from 'yaml';

/** A YAML text as values, or what keeps it from being one. */
export interface YamlFile {
  /** Undefined if there are problems. */
  input: unknown;
  /** Each with its line and a remedy. */
  problems: string[];
  /** `line 12: ` for the line where a field (or the nearest parent that is written down) stands; empty if none is. */
  lineOf: (path: Path) => string;
  /** A value as the file has it: 1.30 of a number that is 1.3. Undefined for what is no single value. */
  sourceOf: (path: Path) => string | undefined;
}

/** Reads YAML 1.2, with the merge keys (`<<`) that people use. Never throws. */
export function readYaml(file: string): YamlFile {
  // Carriage returns alone end lines too, which the library does not know.
  const text = file.replaceAll(/\r(?!\n)/g, '\n');
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, merge: true, prettyErrors: false });
  const at = (offset: number) => `line ${String(lines.linePos(offset).line)}: `;
  const places = {
    lineOf: (path: Path) => lineOfField(document, at, path),
    sourceOf: (path: Path) => {
      const node = document.getIn(path, true);
      return isScalar(node) ? node.source : undefined;
    },
  };
  const syntax = syntaxProblems(document, text).map(({ offset, message }) => `${at(offset)}${message}`);
  const problems = syntax.length > 0 ? firstOfEachLine(syntax) : aliasProblems(document, at);
  if (problems.length > 0) return { input: undefined, problems, ...places };
  try {
    return { input: document.toJS() ?? {}, problems, ...places };
  } catch {
    // The library refuses texts that a few aliases would blow up to gigabytes.
    return { input: undefined, problems: ['its aliases (*) stand for too much: write the values out'], ...places };
  }
}

/** One mistake often breaks several rules. */
function firstOfEachLine(problems: readonly string[]): string[] {
  const lineIn = (problem: string) => problem.slice(0, problem.indexOf(':'));
  return problems.filter(
    (problem, index) => problems.findIndex((other) => lineIn(other) === lineIn(problem)) === index,
  );
}

/** Merges (`<<`) of what has no fields, aliases (`*x`) without their anchor (`&x`) before them, and those inside of what they stand for. */
function aliasProblems(document: Document, at: (offset: number) => string): string[] {
  const problems: string[] = [];
  const isSource = (node: unknown): boolean => isMap(isAlias(node) ? node.resolve(document) : node);
  visit(document, {
    Pair(_key, { key, value }) {
      if (isMap(key) || isSeq(key)) {
        problems.push(
          `${at(key.range?.[0] ?? 0)}brackets where a field's name belongs: fill in what is a placeholder ({{ }})`,
        );
        return visit.SKIP;
      }
      if (!isScalar(key) || key.value === null || key.value === '') {
        problems.push(
          `${at(isNode(value) ? (value.range?.[0] ?? 0) : 0)}a value without the name of its field: write field: value`,
        );
        return visit.SKIP;
      }
      if (key.source !== '<<' || isAlias(value)) return;
      if (isSource(value) || (isSeq(value) && value.items.every(isSource))) return;
      problems.push(
        `${at(key.range?.[0] ?? 0)}<< takes the fields of another value: write <<: *name, with &name before it`,
      );
    },
    Alias(_key, alias, ancestors) {
      const line = at(alias.range?.[0] ?? 0);
      const target = alias.resolve(document);
      if (!target)
        problems.push(`${line}*${alias.source} stands for nothing: give a value the anchor &${alias.source} before it`);
      else if (ancestors.includes(target))
        problems.push(`${line}*${alias.source} stands in what it stands for: write it out`);
    },
  });
  return problems;
}

function lineOfField(document: Document, at: (offset: number) => string, path: Path): string {
  for (let length = path.length; length > 0; length--) {
    const offset = offsetOf(document, path.slice(0, length));
    if (offset !== undefined) return at(offset);
  }
  return '';
}

function offsetOf(document: Document, path: Path): number | undefined {
  const parent: unknown = path.length > 1 ? document.getIn(path.slice(0, -1), true) : document.contents;
  const last = path.at(-1);
  if (isMap(parent)) {
    const pair = parent.items.find((item) => isPair(item) && isNode(item.key) && String(item.key) === String(last));
    return isNode(pair?.key) ? pair.key.range?.[0] : undefined;
  }
  const item = isSeq(parent) ? parent.items[Number(last)] : undefined;
  return isNode(item) ? item.range?.[0] : undefined;
}
