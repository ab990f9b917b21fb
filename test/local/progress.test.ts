import { spawn } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..');
/** Something that takes as long as several turns of a spinner. */
const WORK = `
  const { Progress } = require('./cli/terminal/progress');
  const progress = new Progress(process.stdout);
  progress.start('working');
  setTimeout(() => progress.update('working: half of it'), 300);
  setTimeout(() => progress.done(), 700);
`;

/** What a terminal of that size shows of it; without a size, what a pipe gets. */
async function shown(size?: string, script = WORK): Promise<{ code: number | null; output: string }> {
  const command = `exec node --import tsx --eval "$WORK"`;
  const [program, args] =
    size === undefined
      ? ['sh', ['-c', command]]
      : ['script', ['--quiet', '--return', '--flush', '--command', `stty ${size} && ${command}`, '/dev/null']];
  const child = spawn(program, args, {
    cwd: ROOT,
    // CI would ask the library for plain lines everywhere.
    env: { ...process.env, WORK: script, CI: '', TERM: 'xterm' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, output };
}

test.each([
  ['24 lines of 80', 'rows 24 cols 80'],
  ['10 lines of 20', 'rows 10 cols 20'],
])('a terminal of %s has a spinner, and then the line of what was done', async (_what, size) => {
  const { code, output } = await shown(size);
  expect(code).toBe(0);
  expect(output).toContain('⠋');
  expect(output).toMatch(/✓.*working.*\d\.\d s/);
});

test.each([
  ['a terminal without a size', 'rows 0 cols 0'],
  ['a pipe', undefined],
])('%s has plain lines, and ends', async (_what, size) => {
  const { code, output } = await shown(size);
  expect(code).toBe(0);
  expect(output).not.toContain('⠋');
  expect(output).toMatch(/… working\r?\n.*✓.*working.*\d\.\d s/);
});
