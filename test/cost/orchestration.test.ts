import { measureOrchestration } from '../../bench/orchestration';
import { NO_USAGE, priceOf, sumOf, times } from '../../core/cost/orchestration';

describe('priceOf', () => {
  it('adds up what each service takes', () => {
    const usage = {
      transitions: 1000,
      lambdaRequests: 1e6,
      lambdaGbSeconds: 1e4,
      dynamoWrites: 1e6,
      dynamoReads: 1e6,
      apiRequests: 1e6,
      schedulerInvocations: 1e6,
      emails: 1e5,
    };
    const { items, total } = priceOf(usage);
    expect(items).toEqual({
      'Step Functions': 0.025,
      'Lambda requests': 0.2,
      'Lambda GB-seconds': expect.closeTo(0.133, 3) as number,
      DynamoDB: 0.75,
      'HTTP API': 1,
      Scheduler: 1,
      'E-mails': 2,
      // 5 MB of Step Functions and 1.2 GB of Lambda.
      'Logs (estimate)': expect.closeTo(0.6025, 6) as number,
    });
    expect(total).toBeCloseTo(5.7108, 4);
    expect(priceOf(times(3, usage)).total).toBeCloseTo(3 * total, 6);
    expect(priceOf(sumOf(usage, usage, NO_USAGE)).total).toBeCloseTo(2 * total, 6);
  });
});

test('the orchestration stays within what is promised: 400 transitions a pair, and half a dollar a month', async () => {
  const figures = await measureOrchestration();
  expect(figures.ok).toBe(true);
  // A pair without its join and its platform, or without its polls, would be less.
  expect(figures.transitionsOfAPair).toBeGreaterThan(120);
  expect(figures.transitionsOfAPair).toBeLessThanOrEqual(400);
  expect(figures.usdByPart.pairs).toBeGreaterThan(0.2);
  expect(figures.usdAMonth).toBeLessThanOrEqual(0.5);
});
