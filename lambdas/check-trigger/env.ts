import { bookEnv } from '../../lib/schedule/book';
import { notifyEnv } from '../shared/env';

export const env = notifyEnv.extend(bookEnv.shape);
