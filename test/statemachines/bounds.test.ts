import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseConfig } from '../../lib/config/load';
import { pascalCase } from '../../lib/steps/steps';
import { allStates, readDefinition, type Retrier, type State } from '../../lib/workflows/definition';
import { simulate } from '../../sim/run';
import { THREE_POOLS } from '../lambdas/support';

/**
 * A command is bounded three times: by the script, by its document and by the state machine. Whoever is cut off by the
 * next one cannot say what it was waiting for, so each must lie within the next.
 */

const ROOT = path.join(__dirname, '..', '..');
const MACHINES = path.join(ROOT, 'statemachines');

/** What Systems Manager is given to deliver a command (s). */
const DELIVERY = 60;
/** Of a parent workflow, beside its child's bound: to start it and to see that it ended (s). */
const START_OF_CHILD = 30;

interface Sent {
  /** The step that sends it, and the command's name. */
  step: string;
  command: string;
  /** The document's bound (s). */
  execution: number;
}

/** Every step that runs a command in a cluster's life, with the bound that it really sends. */
function commandsOfALife(): Promise<Sent[]> {
  return simulate(parseConfig(THREE_POOLS), async (twin) => {
    for (const workflow of ['bootstrap', 'sleep', 'wake']) await twin.run(workflow);
    const sent = twin.model.calls.of('SendCommand').map(({ caller, input }) => {
      const { DocumentName, Parameters, TimeoutSeconds } = input as {
        DocumentName: string;
        Parameters: { ExecutionTimeout: [string] };
        TimeoutSeconds: number;
      };
      expect(TimeoutSeconds).toBe(DELIVERY);
      const command = DocumentName.replace(/^drowse-/, '');
      return { step: caller, command, execution: Number(Parameters.ExecutionTimeout[0]) };
    });
    return [...new Map(sent.map((each) => [each.step, each])).values()];
  });
}

/** How long a script waits at most, by what it says itself (s). */
function waitsOf(command: string): number {
  const script = readFileSync(path.join(ROOT, 'userdata', 'commands', `${command}.sh`), 'utf8');
  const library = readFileSync(path.join(ROOT, 'userdata', 'lib', 'command.sh'), 'utf8');
  const forApi = Number(/api-not-ready (\d+) /.exec(library)?.[1]);
  const patience = Number(/^readonly PATIENCE_SECONDS=(\d+)$/m.exec(script)?.[1] ?? 0);
  expect(forApi).toBeGreaterThan(0);
  return (/^ {2}require_api$/m.test(script) ? forApi : 0) + patience;
}

const states = readdirSync(MACHINES).flatMap((file) => allStates(readDefinition(path.join(MACHINES, file))));

function retrier({ Retry = [] }: State, error: string): Retrier | undefined {
  return Retry.find(({ ErrorEquals }) => ErrorEquals.includes(error));
}

const patienceOf = (state: State, error: string) => {
  const { IntervalSeconds = 0, MaxAttempts = 0 } = retrier(state, error) ?? {};
  return IntervalSeconds * MaxAttempts;
};

test('for every command: the script gives up before its document does, and that before the state machine', async () => {
  const commands = await commandsOfALife();
  expect(commands.map(({ step }) => step)).toEqual(
    expect.arrayContaining([
      ...['delete-stale-nodes', 'drain-nodes', 'install-network', 'mint-join-token', 'mint-join-tokens'],
      ...['reconcile-platform', 'snapshot-etcd'],
    ]),
  );
  for (const { step, command, execution } of commands) {
    expect([step, waitsOf(command)]).toEqual([step, expect.any(Number)]);
    expect(waitsOf(command)).toBeLessThan(execution);
    const callers = states.filter(([, { Resource }]) => Resource === `\${${pascalCase(step)}Arn}`);
    expect([step, callers.length]).not.toEqual([step, 0]);
    for (const [, state] of callers) {
      // A retrier counts over all runs of the command: those that are made again after a failure, too.
      const again = new Set(['CommandFailed', 'PlatformNotReady'].map((error) => retrier(state, error)));
      const runs = [...again].reduce((sum, each) => sum + (each?.MaxAttempts ?? 0), 1);
      const bound = patienceOf(state, 'CommandInProgress');
      expect([step, bound >= runs * (DELIVERY + execution)]).toEqual([step, true]);
    }
  }
});

test('a parent waits longer than the platform takes at most', () => {
  const [reconcile] = states.find(([name]) => name === 'ReconcilePlatform')!.slice(1) as [State];
  const waiting = ['CommandInProgress', 'ApiNotReady', 'CommandFailed', 'PlatformNotReady'];
  const child = waiting.reduce((sum, error) => sum + patienceOf(reconcile, error), 0);
  const parents = states.filter(([name, { Type }]) => name === 'InstallPlatform' && Type === 'Task');
  expect(parents.length).toBeGreaterThanOrEqual(2);
  for (const [, { TimeoutSeconds = 0 }] of parents) expect(TimeoutSeconds).toBeGreaterThan(child + START_OF_CHILD);
});
