export { bucketEnv as env } from '../shared/env';
