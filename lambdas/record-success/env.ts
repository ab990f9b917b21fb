export { costEnv as env } from '../shared/step/env';
