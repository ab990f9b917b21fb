import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expectedCalls, play, readCase } from './support/case';

jest.setTimeout(60_000);

describe('cases', () => {
  const cases = readdirSync(join(__dirname, 'cases')).map((name) => ({ name, one: readCase(name) }));

  test.concurrent.each(cases)('$name: $one.about', async ({ name, one }) => {
    const { life, run, others } = await play(one);
    try {
      const failed = one.expect.phases.at(-1)?.startsWith('failed:') === true;
      // Shown first, since the log says why when anything below differs.
      expect({ phases: life.state.phases, log: run.stderr }).toEqual({
        phases: one.expect.phases,
        log: expect.any(String) as string,
      });
      expect(run.code).toBe(failed ? 1 : 0);
      expect(life.problems).toEqual([]);
      const { expected, found } = expectedCalls(name, life.sandbox.calls);
      expect(found).toBe(expected);
      for (const never of one.expect.never)
        expect(life.sandbox.calls.filter((call) => call.startsWith(never))).toEqual([]);
      for (const [path, content] of Object.entries(one.expect.files)) expect(life.sandbox.read(path)).toBe(content);
      if (failed) expect(Object.keys(life.state.objects)).toContain(`logs/${life.cloud.self}/node.log`);
    } finally {
      await life.end();
      await Promise.all(others.map((other) => other.end()));
    }
  });
});
