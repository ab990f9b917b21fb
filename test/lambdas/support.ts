import { parseConfig } from '../../lib/config/load';
import type { Leased, Workflow } from '../../core/record/contracts';
import { simulate, type Twin } from '../../sim/run';
import { makeStep } from '../../sim/steps';

/** Three pools: one carries the Elastic IP, one stops its nodes at sleep, one scales from zero. */
export const THREE_POOLS = `
pools:
  - { name: web, instanceTypes: [t3.large], min: 1, desired: 2, max: 4, ingress: true }
  - { name: batch, instanceTypes: [m7i.large], min: 1, desired: 2, max: 3, sleep: stop }
  - { name: gpu, instanceTypes: [g4dn.xlarge], gpu: true, market: spot, min: 0, desired: 0, max: 5 }
`;

/** Without addresses of operators there is no API load balancer: the tests' clusters have some, unless they say so. */
const OPERATORS = 'operatorCidrs: [203.0.113.0/24]\n';

/** Lives with a cluster of this `cluster.yaml`, in virtual time. */
export function live<T>(yaml: string, script: (twin: Twin) => Promise<T>): Promise<T> {
  return simulate(parseConfig(yaml.includes('operatorCidrs') ? yaml : OPERATORS + yaml), script);
}

/** As {@link live}, with a cluster that was bootstrapped. */
export function liveAwake<T>(yaml: string, script: (twin: Twin) => Promise<T>): Promise<T> {
  return live(yaml, async (twin) => {
    const { status, cause } = await twin.run('bootstrap');
    if (status !== 'SUCCEEDED') throw new Error(cause);
    twin.model.calls.all.length = 0;
    return script(twin);
  });
}

/** Begins a workflow by hand, so that a test can call its steps one by one: the lease is taken, the execution runs. */
export async function begin({ model }: Twin, workflow: Workflow = 'sleep', execution = arn(workflow)): Promise<Leased> {
  model.stepFunctions.executions.set(execution, {
    arn: execution,
    machineArn: 'arn',
    status: 'RUNNING',
    input: '{}',
    startedAt: new Date(),
    history: [],
  });
  const startedAt = new Date().toISOString();
  const request = { requestedBy: 'test' };
  return (await makeStep(model, 'acquire-lease')({ execution, startedAt, workflow, request })) as Leased;
}

/** Ends by force what {@link begin} began. */
export function stop(twin: Twin, workflow: Workflow): Twin {
  twin.model.stepFunctions.executions.get(arn(workflow))!.status = 'ABORTED';
  return twin;
}

export function arn(workflow: string): string {
  return `arn:aws:states:us-east-1:123456789012:execution:drowse-${workflow}:by-hand`;
}

/** What a step throws and returns, call after call, until it returns. */
export async function until(
  step: () => Promise<unknown>,
  seconds = 5,
  calls = 200,
): Promise<{ result: unknown; errors: string[] }> {
  const errors: string[] = [];
  for (let call = 0; call < calls; call += 1) {
    try {
      return { result: await step(), errors };
    } catch (error) {
      errors.push((error as Error).name);
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    }
  }
  throw new Error(`Still ${errors.at(-1) ?? ''} after ${String(calls)} calls`);
}

/** What a promise rejects with. */
export async function thrownBy(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('Nothing was thrown');
}

/** The distinct errors, in order of their first appearance. */
export function kinds(errors: readonly string[]): string[] {
  return [...new Set(errors)];
}

export { makeStep };
