export { buildNodeBundle, type NodeBundle } from './bundle';
export { CONTAINERD_VERSION, nodeInstall, nodeInstallSchema, type NodeInstall } from './install';
export { nodeDataSchema, parseNodeData, type NodeData, type NodeDataInput } from './node-data';
export { renderUserData, UserDataTooLarge, type BundleReference } from './user-data';
