export { elasticIpEnv as env } from '../shared/step/env';
