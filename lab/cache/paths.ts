import path from 'node:path';
import { CACHE as BINARIES } from '../binaries/wanted';

/** The lab's part of the cache, beside the programs. */
export const LAB_CACHE = path.join(BINARIES, '..', 'lab');
/** Scripts of the steps. */
export const SCRIPTS = __dirname;
/** Where each run of a lab has a folder of its own, named by the embedded AWS's process ID. */
export const RUNS = path.join(LAB_CACHE, 'run');
