import { bookEnv } from '../../core/schedule/book';
import { storeEnv } from '../shared/step/env';

/** Holidays are of no matter to it. */
export const env = storeEnv.extend(bookEnv.pick({ SCHEDULES: true }).shape);
