export { buildPlatform, FLUX_FILE, fluxYaml } from './build';
export { clusterManifest, PLATFORM_NAME, platformParameter } from './cluster-manifest';
export { platformImages } from './images';
export { platformSources } from './sources';
export { platformGrants, type Grant } from './grants';
export { substitutions, VALUES_NAME, type Deployed, type Substitutions } from './substitutions';
