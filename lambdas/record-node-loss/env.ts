export { notifyEnv as env } from '../shared/step/env';
