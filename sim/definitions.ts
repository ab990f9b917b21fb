import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** A state, as far as the twin and the tests look into it. */
export interface State {
  Type: string;
  Resource?: string;
  Next?: string;
  End?: boolean;
  TimeoutSeconds?: number;
  Parameters?: Record<string, unknown>;
  ResultPath?: string | null;
  Retry?: { ErrorEquals: string[]; IntervalSeconds: number; MaxAttempts: number; BackoffRate: number }[];
  Catch?: { ErrorEquals: string[]; ResultPath?: string; Next: string }[];
  Choices?: { Next: string }[];
  Default?: string;
  Branches?: Definition[];
}

/** A state machine, or a branch of one. */
export interface Definition {
  Comment?: string;
  StartAt: string;
  States: Record<string, State>;
}

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
  const text = readFileSync(path.join(FOLDER, `${workflow}.asl.json`), 'utf8');
  return JSON.parse(text.replace(/\$\{(\w+)\}/g, (placeholder) => substitute(placeholder))) as Definition;
}

/** All states of a definition by name, those of branches included. */
export function allStates(definition: Definition): [name: string, state: State][] {
  return Object.entries(definition.States).flatMap(([name, state]): [string, State][] => [
    [name, state],
    ...(state.Branches ?? []).flatMap(allStates),
  ]);
}

/** `wait-for-api` of `${WaitForApiArn}`; undefined if it is no placeholder of ours. */
export function stepOf(placeholder: string): string | undefined {
  const [, name] = /^\$\{(\w+)Arn\}$/.exec(placeholder) ?? [];
  return name?.replace(/\B[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
}
