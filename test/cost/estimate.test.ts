import { parseConfig } from '../../lib/config/load';
import { describePrices, estimateCost } from '../../core/cost/estimate';
import { pricesEnvironment } from '../../core/cost/instance-price';

describe('estimateCost', () => {
  it('counts the default cluster by its parts', () => {
    const { awake, awakePerHour, asleepPerMonth, unknown } = estimateCost(parseConfig(''));
    // t3.medium + g4dn.xlarge + Elastic IP + 1 more address + disks (8 + 20 + 100 GiB) + a metric, sent each minute + images
    const expected = 0.0416 + 0.526 + 0.005 + 0.005 + (128 * 0.08) / 730 + 0.3 / 730 + 60 * 0.00001 + (3 * 0.023) / 730;
    expect(awakePerHour).toBeCloseTo(expected, 6);
    expect(asleepPerMonth).toBeCloseTo(0.005 * 730 + 8 * 0.08 + 3 * 0.023, 6);
    expect(awake.map(({ what }) => what)).toContain('pool gpu, 1 × g4dn.xlarge (spot: at most)');
    expect(unknown).toEqual([]);
  });

  it('counts a load balancer and its address only where somebody may reach the API through it', () => {
    const [open, tunnel, nobody] = [
      'operatorCidrs: [203.0.113.0/24]',
      'operatorCidrs: [203.0.113.0/24]\napiAccess: tunnel',
      'apiAccess: load-balancer',
    ].map((yaml) => estimateCost(parseConfig(yaml)).awakePerHour) as [number, number, number];
    expect(open - tunnel).toBeCloseTo(0.0225 + 0.005, 6);
    expect(nobody).toBeCloseTo(tunnel, 6);
  });

  it('bills the disks of stopped nodes while asleep', () => {
    const pool =
      'pools: [{name: app, instanceTypes: [t3.large], ingress: true, desired: 2, max: 2, diskGiB: 50, sleep: stop}]';
    expect(estimateCost(parseConfig(pool)).asleepPerMonth).toBeCloseTo(
      0.005 * 730 + 8 * 0.08 + 3 * 0.023 + 100 * 0.08,
      6,
    );
  });

  it.each([
    ['eu-central-1', 0.048 + 0.658],
    ['sa-east-1', 0.0672 + 0.894],
    ['us-east-1', 0.0416 + 0.526],
  ])('counts instances as they cost in %s', (region, instances) => {
    const { awake, unknown } = estimateCost(parseConfig(`region: ${region}`));
    expect((awake[0]?.perHour ?? 0) + (awake[1]?.perHour ?? 0)).toBeCloseTo(instances, 6);
    expect(unknown).toEqual([]);
  });

  const gpu = (type: string, more = '') =>
    `${more}\npools: [{name: gpu, instanceTypes: [${type}], gpu: true, ingress: true}]`;

  it('counts a type that has no price in the region as in the cheapest one, and says at least', () => {
    const { awake, unknown } = estimateCost(parseConfig(gpu('g7e.2xlarge', 'region: eu-central-1')));
    const [, pool] = awake;
    expect(pool?.what).toBe('pool gpu, 1 × g7e.2xlarge (at least: price of us-east-1)');
    expect(pool?.perHour).toBeGreaterThan(1);
    expect(unknown).toEqual(['g7e.2xlarge']);
  });

  it('names an instance type whose price nobody knows', () => {
    const newer = 'newInstanceTypes: { g9.xlarge: { vCpus: 4, memoryGiB: 16, gpus: 1 } }';
    const { awake, unknown } = estimateCost(parseConfig(gpu('g9.xlarge', newer)));
    expect(awake[1]?.what).toBe('pool gpu, 1 × g9.xlarge (price not known)');
    expect(unknown).toEqual(['g9.xlarge']);
  });

  it('takes the price that the configuration says', () => {
    const newer = 'newInstanceTypes: { g9.xlarge: { vCpus: 4, memoryGiB: 16, gpus: 1, pricePerHour: 1.5 } }';
    const { awake, unknown } = estimateCost(parseConfig(gpu('g9.xlarge', newer)));
    expect(awake[1]?.perHour).toBe(1.5);
    expect(unknown).toEqual([]);
  });

  it('says "at least" where a price is missing, and the region and day of the prices', () => {
    const describe = (yaml: string) => describePrices(parseConfig(yaml), estimateCost(parseConfig(yaml)));
    expect(describe('region: eu-central-1')).toEqual({
      sum: '',
      notes: [
        'Prices of eu-central-1: instances on demand, list of 2025-05-28; spot costs less. Load balancer and disks are counted as in us-east-1. Traffic, logs and snapshots come on top.',
      ],
    });
    const { sum, notes } = describe(gpu('g7e.2xlarge', 'region: eu-central-1'));
    expect(sum).toBe('at least ');
    expect(notes).toContain('What g7e.2xlarge costs in eu-central-1 is not known.');
    expect(describe('').notes[0]).toContain('Prices of us-east-1: instances on demand, list of 2026-07-20');
  });

  it('tells functions the prices of the types that may run, and of no others', () => {
    const { INSTANCE_PRICES } = pricesEnvironment(parseConfig(gpu('g7e.2xlarge, g5.xlarge', 'region: eu-central-1')));
    expect(JSON.parse(INSTANCE_PRICES)).toEqual({ 't3.medium': 0.048, 'g5.xlarge': 1.258 });
  });

  it('does not count a pool that starts at zero', () => {
    const pools = `pools:
  - {name: app, instanceTypes: [t3.large], ingress: true}
  - {name: big, instanceTypes: [p5.48xlarge], gpu: true, desired: 0, min: 0}`;
    const { awake, unknown } = estimateCost(parseConfig(pools));
    expect(awake.some(({ what }) => what.includes('big'))).toBe(false);
    expect(unknown).toEqual([]);
  });
});
