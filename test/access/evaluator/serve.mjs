// @ts-nocheck: the library is not installed where types are checked.
// Answers questions to IAM: each line of input is {id, simulation, unsafe}, each line of output {id, allowed} or {id, error}.
import { createInterface } from 'node:readline';
import { runSimulation, runUnsafeSimulation } from '@cloud-copilot/iam-simulate';

async function answer({ simulation, unsafe }) {
  if (unsafe) return { allowed: runUnsafeSimulation(simulation, {}) === 'Allowed' };
  const result = await runSimulation(simulation, {});
  if (result.resultType === 'error') return { error: JSON.stringify(result.errors) };
  return { allowed: result.overallResult === 'Allowed' };
}

for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line);
  const said = await answer(question).catch((/** @type {unknown} */ error) => ({ error: String(error) }));
  process.stdout.write(`${JSON.stringify({ id: question.id, ...said })}\n`);
}
