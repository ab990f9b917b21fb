import { ratesEnv } from '../../core/cost/rates';
import { bookEnv } from '../../core/schedule/book';
import { storeEnv } from '../shared/step/env';

export const env = storeEnv.extend({ ...bookEnv.shape, ...ratesEnv.shape });
