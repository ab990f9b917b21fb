import { ratesEnv } from '../../core/cost/rates';
import { appEnv, costEnv } from '../shared/step/env';

export const env = costEnv.extend(ratesEnv.shape).extend(appEnv.shape);
