export { clusterEnv as env } from '../shared/env';
