import { parseConfig } from '../../lib/config/load';
import { estimateCost } from '../../lib/cost/estimate';

describe('estimateCost', () => {
  it('counts the default cluster by its parts', () => {
    const { awake, awakePerHour, asleepPerMonth, unknown } = estimateCost(parseConfig(''));
    // t3.medium + g4dn.xlarge + load balancer + Elastic IP + 2 more addresses + disks (8 + 20 + 100 GiB)
    const expected = 0.0416 + 0.526 + 0.0225 + 0.005 + 2 * 0.005 + (128 * 0.08) / 730;
    expect(awakePerHour).toBeCloseTo(expected, 6);
    expect(asleepPerMonth).toBeCloseTo(0.005 * 730 + 8 * 0.08, 6);
    expect(awake.map(({ what }) => what)).toContain('pool gpu, 1 × g4dn.xlarge (spot: at most)');
    expect(unknown).toEqual([]);
  });

  it('leaves the load balancer out where the API is reached through a tunnel', () => {
    const open = estimateCost(parseConfig('apiAccess: load-balancer')).awakePerHour;
    const tunnel = estimateCost(parseConfig('apiAccess: tunnel')).awakePerHour;
    expect(open - tunnel).toBeCloseTo(0.0225 + 0.005, 6);
  });

  it('bills the disks of stopped nodes while asleep', () => {
    const pool =
      'pools: [{name: app, instanceTypes: [t3.large], ingress: true, desired: 2, max: 2, diskGiB: 50, sleep: stop}]';
    expect(estimateCost(parseConfig(pool)).asleepPerMonth).toBeCloseTo(0.005 * 730 + 8 * 0.08 + 100 * 0.08, 6);
  });

  it('names an instance type whose price it does not know', () => {
    const pool = 'pools: [{name: app, instanceTypes: [x2idn.metal], ingress: true}]';
    expect(estimateCost(parseConfig(pool)).unknown).toEqual(['x2idn.metal']);
  });

  it('does not count a pool that starts at zero', () => {
    const pools = `pools:
  - {name: app, instanceTypes: [t3.large], ingress: true}
  - {name: big, instanceTypes: [p5.48xlarge], gpu: true, desired: 0}`;
    const { awake, unknown } = estimateCost(parseConfig(pools));
    expect(awake.some(({ what }) => what.includes('big'))).toBe(false);
    expect(unknown).toEqual([]);
  });
});
