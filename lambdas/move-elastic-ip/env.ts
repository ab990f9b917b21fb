export { env } from '../associate-elastic-ip/env';
