import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { expectedCalls, play, readCase } from './support/case';

describe('cases', () => {
  const cases = readdirSync(join(__dirname, 'cases')).map((name) => ({ name, one: readCase(name) }));

  test.concurrent.each(cases)('$name: $one.about', async ({ name, one }) => {
    const { life, run, others } = await play(one);
    try {
      const failed = one.expect.phases.at(-1)?.startsWith('failed:') === true;
      const { phases } = life.state;
      // The log says why, where anything differs.
      const log = isDeepStrictEqual(phases, one.expect.phases) ? undefined : run.stderr;
      expect({ phases, log }).toEqual({ phases: one.expect.phases });
      expect(run.code).toBe(failed ? 1 : 0);
      expect(life.problems).toEqual([]);
      const { expected, found } = expectedCalls(name, life.sandbox.calls);
      expect(found).toBe(expected);
      for (const never of one.expect.never)
        expect(life.sandbox.calls.filter((call) => call.startsWith(never))).toEqual([]);
      for (const [path, content] of Object.entries(one.expect.files)) expect(life.sandbox.read(path)).toBe(content);
      if (failed && one.expect.log)
        expect(Object.keys(life.state.objects)).toContain(`logs/${life.cloud.arn}/node.log`);
    } finally {
      await life.end();
      await Promise.all(others.map((other) => other.end()));
    }
  });
});
