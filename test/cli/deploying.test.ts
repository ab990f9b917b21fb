import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { deployApp } from '../../cli/app-deploy/app';
import { destroy as destroyIt } from '../../cli/destroy/destroy';
import { attend } from '../../cli/drowse/child';
import { CommandFailed } from '../../cli/terminal/errors';
import { answerOf, drowse } from './support';

jest.mock('../../cli/drowse/child', () => ({
  ...jest.requireActual<object>('../../cli/drowse/child'),
  attend: jest.fn(),
}));
jest.mock('../../cli/app-deploy/app', () => ({ deployApp: jest.fn() }));
jest.mock('../../cli/destroy/destroy', () => ({ destroy: jest.fn() }));

/** The verbs that hand on to CDK, Docker and what deletes: what they are told, what is made of their ends. */

const FILE = path.resolve('examples', 'office-hours.yaml');
const CONFIG = ['--config', path.relative('', FILE)];
const cdk = jest.mocked(attend);
const OUTPUTS = { 'office-operations': { ApiUrl: 'https://api.example' } };

beforeEach(() => {
  jest.resetAllMocks();
  cdk.mockImplementation((_program, args) => {
    const file = args[args.indexOf('--outputs-file') + 1];
    if (args.includes('--outputs-file')) writeFileSync(file ?? '', JSON.stringify(OUTPUTS));
    return Promise.resolve(0);
  });
});

test('deploy deploys every stack of the file, wherever it is called', async () => {
  const { code, out } = await drowse('deploy', ...CONFIG, '--', '--hotswap');
  expect([code, out]).toEqual([0, expect.stringContaining('drowse bootstrap')]);
  const [program, args, { env, quietOutput }] = cdk.mock.calls[0]!;
  expect([program, args[0], args[1], args.at(-1)]).toEqual(['cdk', 'deploy', '--all', '--hotswap']);
  expect([env, quietOutput]).toEqual([{ DROWSE_CONFIG: FILE }, false]);
  expect((await answerOf('deploy', ...CONFIG)).answer).toEqual({ outputs: OUTPUTS });
  expect(cdk.mock.calls[1]?.[2].quietOutput).toBe(true);
});

test('diff compares, and says nothing of its own', async () => {
  expect(await drowse('diff', ...CONFIG)).toEqual({ code: 0, out: '', err: '' });
  expect(cdk.mock.calls[0]?.[1]).toEqual(['diff']);
});

test.each(['deploy', 'diff'])('%s that CDK ends badly names the cluster, and what may be missing', async (verb) => {
  cdk.mockResolvedValue(1);
  const { code, err } = await drowse(verb, ...CONFIG);
  expect(code).toBe(1);
  expect(err).toMatch(`cdk ${verb} of cluster office in us-east-1, from examples/office-hours.yaml ended with 1\n`);
  expect(err).toContain('npx cdk bootstrap');
});

test('app says which image it would push, and passes on what it is told', async () => {
  jest.mocked(deployApp).mockResolvedValue('registry/app:1');
  const told = ['app', '--image', 'registry/app', '--timeout', '60', '--dry-run'];
  expect((await answerOf('app', ...told.slice(1), ...CONFIG)).answer).toEqual({
    image: 'registry/app:1',
    dryRun: true,
  });
  expect(deployApp).toHaveBeenCalledWith(
    { image: 'registry/app', config: CONFIG[1], timeout: 60, dryRun: true },
    expect.any(Function),
  );
  expect(await drowse('app', '--timeout', '0', ...CONFIG)).toMatchObject({ code: 2 });
});

test('destroy says what stays, and what that costs', async () => {
  jest.mocked(destroyIt).mockResolvedValue({ cluster: 'office', left: ['Elastic IP 203.0.113.7: $3.65 a month'] });
  const { code, out } = await drowse('destroy', ...CONFIG);
  expect([code, out]).toEqual([0, expect.stringMatching(/What stays.*\n {2}Elastic IP .*\ndrowse deploy brings/)]);
  const left = ['Elastic IP 203.0.113.7: $3.65 a month'];
  expect((await answerOf('destroy', ...CONFIG)).answer).toEqual({ cluster: 'office', left });
  expect(destroyIt).toHaveBeenLastCalledWith(expect.objectContaining({ config: CONFIG[1] }), expect.any(Function));
});

test('destroy that is not confirmed ends as it says', async () => {
  jest.mocked(destroyIt).mockRejectedValue(new CommandFailed('Not confirmed', 'Give its name.', '', 2));
  expect(await drowse('destroy', '--data', ...CONFIG)).toEqual({
    code: 2,
    out: '',
    err: 'Not confirmed\nGive its name.\n',
  });
});
