import path from 'node:path';

/** The platform tree. */
export const PLATFORM = path.join(__dirname, '..', '..', 'platform');
/** What is known of each chart beside its version. */
export const CHART_FACTS = path.join(__dirname, 'chart-facts.yaml');
