import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadConfig } from '../../lib/config/load';
import { answerOf, drowse } from './support';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'drowse-init-'));
  file = path.join(folder, 'cluster.yaml');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('drowse init', () => {
  test('proposes office hours, and a tunnel', async () => {
    const { code, out } = await drowse(
      'init',
      '--config',
      file,
      '--name',
      'team',
      '--region',
      'eu-central-1',
      '--time-zone',
      'Europe/Berlin',
    );
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(/is written: about \$\d+ a month.*\n.*tunnel.*\n.*drowse deploy/),
    ]);
    expect(readFileSync(file, 'utf8')).toMatch(/^# yaml-language-server: \$schema=.*schemas\/cluster\.schema\.json\n/);
    const { schedules, ...config } = loadConfig(file);
    expect(config).toMatchObject({
      name: 'team',
      region: 'eu-central-1',
      apiAccess: 'tunnel',
      idle: { enabled: true },
    });
    expect(schedules).toMatchObject([
      {
        name: 'office',
        wake: '08:00',
        sleep: '19:00',
        timeZone: 'Europe/Berlin',
        days: ['mon', 'tue', 'wed', 'thu', 'fri'],
      },
      { name: 'weekend', days: ['sat', 'sun'], sleep: '19:00' },
    ]);
  });

  test('takes what flags say, and answers as JSON', async () => {
    const more = ['--hours', '06:30-22:00', '--email', 'ops@example.com', '--domain', 'app.example.com'];
    const { answer } = await answerOf('init', '--config', file, '--yes', ...more);
    expect(answer).toMatchObject({ file, name: 'drowse', operatorCidrs: [] });
    expect(loadConfig(file)).toMatchObject({
      schedules: [{ wake: '06:30', sleep: '22:00' }, { sleep: '22:00' }],
      notifications: { email: 'ops@example.com' },
      app: { domain: 'app.example.com' },
    });
  });

  test('says of a cluster that never sleeps that it does not', async () => {
    expect((await drowse('init', '--config', file, '--always-on')).out).toContain('Nothing puts this cluster to sleep');
    expect(loadConfig(file)).toMatchObject({ schedules: [], idle: { enabled: false } });
  });

  test('leaves a file alone that is there, unless it is told to', async () => {
    writeFileSync(file, 'name: mine\n');
    const { code, err } = await drowse('init', '--config', file);
    expect([code, err, readFileSync(file, 'utf8')]).toEqual([2, expect.stringContaining('--force'), 'name: mine\n']);
    expect(await drowse('init', '--config', file, '--force', '--name', 'other')).toMatchObject({ code: 0 });
    expect(loadConfig(file).name).toBe('other');
  });

  test.each([
    [['--name', 'Not_Good'], /name: "Not_Good": did you mean not-good\? use lower-case letters/],
    [['--region', 'eu-centrall-1'], /region: .*did you mean eu-central-1/],
    [['--time-zone', 'Berlin'], /timeZone: .*IANA time zone/],
    [['--hours', 'all day'], /--hours all day/],
  ])('writes nothing that is not sound: %j', async (args, said) => {
    const { code, err } = await drowse('init', '--config', file, ...args);
    expect([code, err, existsSync(file)]).toEqual([2, expect.stringMatching(said), false]);
  });

  describe('--my-ip', () => {
    const env = process.env;
    let server: Server;
    let says: string;
    beforeEach(async () => {
      server = createServer((_, response) => response.end(says)).listen(0, '127.0.0.1');
      await new Promise((resolve) => server.once('listening', resolve));
      process.env = { ...env, DROWSE_MY_IP_URL: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}` };
    });
    afterEach(async () => {
      process.env = env;
      await new Promise((resolve) => server.close(resolve));
    });

    test('opens the API to the address that is seen from outside', async () => {
      says = '203.0.113.7\n';
      expect(await drowse('init', '--config', file, '--my-ip')).toMatchObject({ code: 0 });
      expect(loadConfig(file)).toMatchObject({ operatorCidrs: ['203.0.113.7/32'], apiAccess: 'load-balancer' });
    });

    test('takes no other answer for one', async () => {
      says = '<html>proxy</html>';
      const { code, err } = await drowse('init', '--config', file, '--my-ip');
      expect([code, err]).toEqual([
        1,
        expect.stringMatching(/does not say your IPv4 address: <html>.*\n.*operatorCidrs/),
      ]);
      expect(existsSync(file)).toBe(false);
    });
  });
});

describe('drowse completion', () => {
  const complete = async (shell: 'bash', ...words: string[]): Promise<string[]> => {
    const { out } = await drowse('completion', shell);
    const line = `${out}\nCOMP_WORDS=(drowse ${words.join(' ')}); COMP_CWORD=${String(words.length)}; _drowse; echo "\${COMPREPLY[@]}"`;
    return spawnSync('bash', ['-c', line], { encoding: 'utf8' }).stdout.trim().split(' ');
  };

  test('knows verbs and their options', async () => {
    expect(await complete('bash', 'st')).toEqual(['status']);
    expect(await complete('bash', 'status', '--w')).toEqual(['--watch']);
    expect(await complete('bash', "''")).toEqual(expect.arrayContaining(['wake', 'kubectl', 'completion']));
  });

  test.each([
    ['zsh', /bashcompinit[^]*complete -o default -F _drowse drowse/],
    ['fish', /complete -c drowse -n __fish_use_subcommand -f -a wake -d 'Wake /],
  ])('is there for %s', async (shell, said) => {
    expect((await drowse('completion', shell)).out).toMatch(said);
  });

  test('of a shell that it does not know', async () => {
    expect(await drowse('completion', 'csh')).toMatchObject({
      code: 2,
      err: expect.stringContaining('bash, zsh, fish') as string,
    });
  });
});
