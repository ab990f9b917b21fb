import facts from './prices.json';

const ROWS = facts.types as Readonly<Record<string, readonly number[]>>;
const DATES = facts.dates as Readonly<Record<string, string>>;

/** USD an hour of an instance type on demand (Linux, shared tenancy); undefined if no price is known in that region. */
export function listPriceOf(type: string, region: string): number | undefined {
  const index = facts.regions.indexOf(region);
  const price = index < 0 ? 0 : (ROWS[type]?.[index] ?? 0);
  return price > 0 ? price : undefined;
}

/** Of which day the prices of a region are (YYYY-MM-DD); undefined if there are none. */
export function pricesDate(region: string): string | undefined {
  return DATES[region];
}
