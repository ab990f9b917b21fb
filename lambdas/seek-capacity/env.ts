export { storeEnv as env } from '../shared/env';
