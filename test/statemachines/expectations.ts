import { hasApiLoadBalancer } from '../../core/config/api-access';
import { TAG } from '../../core/config/names';
import type { Twin } from '../../sim/run';

/** The cluster is as its record says, by the model's own account. */
export function expectAwake({ model }: Twin): void {
  expect(model.record).toMatchObject({ state: 'awake', platformAt: expect.any(String) as string });
  expect(model.record).not.toHaveProperty('lease');
  expect(model.record).not.toHaveProperty('failure');
  for (const { name, desired, lifecycle } of model.autoScaling.groups.values()) {
    const serving = [...lifecycle].filter(([, state]) => state === 'InService').map(([id]) => model.ec2.get(id));
    expect([name, serving.length]).toEqual([name, desired]);
    expect(serving.every(({ state, tags }) => state === 'running' && tags[TAG.phase] === 'ready')).toBe(true);
  }
  expect([...model.inside.cordoned].filter((id) => model.ec2.get(id).state === 'running')).toEqual([]);
  const holder = model.ec2.get(model.ec2.address!.instanceId!);
  expect(holder).toMatchObject({ state: 'running', tags: { [TAG.ingress]: 'true' } });
  const doors = [...model.loadBalancing.loadBalancers.values()].map(({ listeners }) => listeners.length);
  expect(doors).toEqual(hasApiLoadBalancer(model.config) ? [1] : []);
}

export function expectAsleep({ model }: Twin, stopped = 0): void {
  expect(model.record).toMatchObject({ state: 'asleep' });
  expect(model.record).not.toHaveProperty('lease');
  expect(model.ec2.in('pending', 'running', 'stopping', 'shutting-down')).toEqual([]);
  expect(model.ec2.in('stopped')).toHaveLength(stopped);
  expect(model.loadBalancing.loadBalancers.size).toBe(0);
  expect([...model.ssm.parameters.keys()].filter((name) => name.includes('/join/'))).toEqual([]);
  expect(model.ec2.address).toMatchObject({ publicIp: '203.0.113.7', instanceId: undefined });
  expect(model.ec2.volumes.length).toBeGreaterThan(0);
}
