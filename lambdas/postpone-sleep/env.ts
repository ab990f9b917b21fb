import { idleEnv } from '../../lib/schedule/idle';
import { storeEnv } from '../shared/env';

export const env = storeEnv.extend(idleEnv.shape);
