import { accessEnv } from '../../core/access/person';
import { storeEnv } from '../shared/step/env';

export const env = storeEnv.extend(accessEnv.shape);
