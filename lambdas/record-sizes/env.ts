export { storeEnv as env } from '../shared/step/env';
