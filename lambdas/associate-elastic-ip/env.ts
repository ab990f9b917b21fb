import { elasticIpEnv } from '../shared/step/env';

export const env = elasticIpEnv.pick({ CLUSTER_NAME: true, ELASTIC_IP_ID: true });
