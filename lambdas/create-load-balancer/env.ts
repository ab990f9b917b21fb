export { loadBalancerEnv as env } from '../shared/step/env';
