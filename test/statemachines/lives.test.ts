import { liveOnce } from './lives';

/** More of them: `DROWSE_LIVES=5000 npx jest --selectProjects unit test/statemachines/lives`. */
const LIVES = Number(process.env.DROWSE_LIVES ?? 300);
const FIRST = Number(process.env.DROWSE_FIRST_LIFE ?? 1);

test('after the faults stop, a cluster is soon what it is to be, or somebody was told, once', async () => {
  const problems: string[] = [];
  for (let seed = FIRST; seed < FIRST + LIVES; seed += 1) {
    const problem = await liveOnce(seed);
    if (problem !== undefined) problems.push(problem);
  }
  expect(problems).toEqual([]);
}, 600_000);
