import { readdirSync } from 'node:fs';
import path from 'node:path';
import { type Definition, readDefinition as readFile } from '../lib/workflows/definition';

export { allStates, type Definition, type State } from '../lib/workflows/definition';

const FOLDER = path.join(__dirname, '..', 'statemachines');

/** Names of the workflows: `bootstrap`, `sleep`, … */
export function workflowNames(): string[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.asl.json'))
    .map((file) => file.replace('.asl.json', ''))
    .sort();
}

/** A workflow's definition, with what its placeholders stand for filled in. */
export function readDefinition(workflow: string, substitute = (placeholder: string) => placeholder): Definition {
  const text = JSON.stringify(readFile(path.join(FOLDER, `${workflow}.asl.json`)));
  return JSON.parse(text.replace(/\$\{(\w+)\}/g, (placeholder) => substitute(placeholder))) as Definition;
}

/** `wait-for-api` of `${WaitForApiArn}`; undefined if it is no placeholder of ours. */
export function stepOf(placeholder: string): string | undefined {
  const [, name] = /^\$\{(\w+)Arn\}$/.exec(placeholder) ?? [];
  return name?.replace(/\B[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
}
