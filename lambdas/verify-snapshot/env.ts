export { bucketEnv as env } from '../shared/step/env';
