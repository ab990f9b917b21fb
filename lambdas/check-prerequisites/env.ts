export { elasticIpEnv as env } from '../shared/env';
