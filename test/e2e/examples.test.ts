import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../../local/run/paths';
import { forget, leftBy, runLocal } from './run-local';

const EXAMPLES = readdirSync(path.join(ROOT, 'examples')).filter((name) => name.endsWith('.yaml'));

it('there are examples', () => {
  expect(EXAMPLES.length).toBeGreaterThanOrEqual(5);
});

it.each(EXAMPLES)('%s lives: deployed, bootstrapped, put to sleep, woken', async (example) => {
  const run = runLocal(['up', '--json', '--config', path.join('examples', example), '--speedup', '200']);
  const { code, stdout, stderr } = await run.ended;
  const life = JSON.parse(stdout || '{}') as { ok?: boolean; checks?: { ok: boolean }[] };
  expect([code, life.checks?.filter(({ ok }) => !ok), code === 0 ? '' : stderr]).toEqual([0, [], '']);
  expect(life.ok).toBe(true);
  const { name } =
    /^name: (?<name>\S+)$/m.exec(readFileSync(path.join(ROOT, 'examples', example), 'utf8'))?.groups ?? {};
  expect(stderr).toContain(`cluster ${name ?? 'drowse'} in `);
  expect(leftBy(run)).toEqual([]);
  forget(run);
});
