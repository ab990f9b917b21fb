export { removeFolder as default } from './templates-folder';
