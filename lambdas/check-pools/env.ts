export { notifyEnv as env } from '../shared/env';
