import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';

const FOLDER = path.join(__dirname, '..', 'evaluator');

/** What the evaluator is asked; its README says why it is a process of its own. */
export interface Question {
  simulation: object;
  /** Evaluated without a look at whether AWS knows such a request. */
  unsafe: boolean;
}

/** What it says: one of both. */
export interface Answer {
  allowed?: boolean;
  error?: string;
}

let evaluator: ChildProcessWithoutNullStreams | undefined;
let asked = 0;
const waiting = new Map<number, { resolve: (answer: Answer) => void; reject: (error: Error) => void }>();

/** Asks the evaluator, which is started at the first question and ends with the test file. */
export async function ask(question: Question): Promise<Answer> {
  evaluator ??= start();
  const id = (asked += 1);
  const answer = new Promise<Answer>((resolve, reject) => waiting.set(id, { resolve, reject }));
  evaluator.stdin.write(`${JSON.stringify({ id, ...question })}\n`);
  return answer;
}

afterAll(() => {
  evaluator?.stdin.end();
  evaluator = undefined;
});

function start(): ChildProcessWithoutNullStreams {
  if (!existsSync(path.join(FOLDER, 'node_modules'))) {
    throw new Error('The evaluator of IAM policies is not installed: run make test-setup');
  }
  const started = spawn(process.execPath, [path.join(FOLDER, 'serve.mjs')]);
  let said = '';
  started.stderr.on('data', (data: Buffer) => (said += data.toString()));
  createInterface({ input: started.stdout }).on('line', (line) => {
    const { id, ...answer } = JSON.parse(line) as Answer & { id: number };
    waiting.get(id)?.resolve(answer);
    waiting.delete(id);
  });
  started.on('exit', (code) => {
    for (const { reject } of waiting.values()) reject(new Error(`The evaluator ended with ${String(code)}: ${said}`));
    waiting.clear();
  });
  return started;
}
