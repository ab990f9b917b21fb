import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseConfig } from '../../lib/config/load';
import { withClients } from '../../lambdas/shared/clients/clients';
import { handlerNames } from '../../lib/bundle';
import { Model } from '../../sim/model';
import { environmentOf, STEPS } from '../../sim/steps';
import { makeStep } from './support';

const names = Object.keys(STEPS);

test('the twin knows every step', () => {
  const apis = [
    'manage-links',
    'issue-certificate',
    'serve-page',
    'get-status',
    'get-report',
    'request-sleep',
    'request-wake',
    'keep-awake',
    'skip-next',
    'postpone-sleep',
  ];
  // Called by CloudFormation, at deployments: the twin's life begins after the first.
  const customResources = ['reserve-addresses'];
  expect([...names, ...apis, ...customResources].sort()).toEqual(handlerNames());
});

test('every folder of lambdas is a handler with an environment, or shared', () => {
  const folders = readdirSync(join(__dirname, '../../lambdas'));
  expect(folders.filter((name) => name !== 'shared').sort()).toEqual(handlerNames());
});

describe.each(names)('%s', (name) => {
  const model = new Model(parseConfig(''));

  test('refuses an input that is not its own, naming the field', async () => {
    await expect(makeStep(model, name)({ execution: 7, instanceId: 7 })).rejects.toMatchObject({
      name: 'InvalidInput',
      message: expect.stringMatching(new RegExp(`input of ${name}.*(execution|instanceId|Records)`, 's')) as string,
    });
    await expect(makeStep(model, name)(undefined)).rejects.toMatchObject({ name: 'InvalidInput' });
    expect(model.calls.all).toEqual([]);
  });

  test('does not start without its environment, and names every variable', () => {
    const make = () => withClients(model.clients(name), () => STEPS[name]!.instance({}));
    if (name === 'complete-launch') expect(make).toThrow(/CLUSTER_NAME/);
    else expect(make).toThrow(expect.objectContaining({ name: 'InvalidEnvironment' }) as Error);
  });

  test('starts with its environment', () => {
    expect(withClients(model.clients(name), () => STEPS[name]!.instance(environmentOf(model)))).toBeInstanceOf(
      Function,
    );
  });
});
