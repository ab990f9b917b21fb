import path from 'node:path';

/** The repository. */
export const ROOT = path.resolve(__dirname, '..', '..');
/** Where a run leaves its files: run.json, logs, the synthesized app. */
export const OUT = path.join(ROOT, 'local', 'out');
/** Binaries of the npm packages, Node 24 among them. */
export const BIN = path.join(ROOT, 'node_modules', '.bin');
