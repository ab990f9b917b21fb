import path from 'node:path';

/** The platform tree. */
export const PLATFORM = path.join(__dirname, '..', '..', 'platform');
