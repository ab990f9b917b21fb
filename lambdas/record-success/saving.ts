import { monthBill, type Rates } from '../../core/cost/bill';
import { logger } from '../shared/clients/logger';
import type { HistoryStore } from '../shared/record/history-store';

/** What sleeping has saved this month, in a sentence for people. Undefined if the record can't be read: news go out without. */
export async function describeSaving(
  history: Pick<HistoryStore, 'recent'>,
  rates: Rates,
  now: Date,
): Promise<string | undefined> {
  try {
    const { usd, savedUsd } = monthBill({ runs: await history.recent(), state: 'asleep', now }, rates);
    return `Sleeping has saved about $${savedUsd.toFixed(2)} this month so far; the cluster has cost about $${usd.toFixed(2)} (list prices).`;
  } catch (error) {
    logger.warn('Saving not known', error as Error);
    return undefined;
  }
}
