export { clusterEnv as env } from '../shared/step/env';
