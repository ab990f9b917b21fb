import { bookEnv } from '../../core/schedule/book';
import { notifyEnv } from '../shared/step/env';

export const env = notifyEnv.extend(bookEnv.shape);
