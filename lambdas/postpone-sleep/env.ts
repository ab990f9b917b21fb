import { idleEnv } from '../../core/schedule/idle';
import { storeEnv } from '../shared/step/env';

export const env = storeEnv.extend(idleEnv.shape);
