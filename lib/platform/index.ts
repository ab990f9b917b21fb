export { buildPlatform, fluxYaml } from './build';
export { clusterManifest, PLATFORM_NAME, type Deployment } from './cluster-manifest';
export { platformGrants, type Grant } from './grants';
export { substitutions, VALUES_NAME, type Deployed, type Substitutions } from './substitutions';
