export { buildNodeBundle } from './bundle';
export { CONTAINERD_VERSION, nodeInstall, nodeInstallSchema, PAUSE_IMAGE, type NodeInstall } from './install';
export {
  INGRESS_LABEL,
  labelsOfPool,
  nodeDataSchema,
  parseNodeData,
  POOL_LABEL,
  type NodeData,
  type NodeDataInput,
} from './node-data';
export { renderUserData, UserDataTooLarge, type BundleReference } from './user-data';
