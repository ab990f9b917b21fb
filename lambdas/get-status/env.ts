import { bookEnv } from '../../lib/schedule/book';
import { storeEnv } from '../shared/env';

export const env = storeEnv.extend(bookEnv.shape);
