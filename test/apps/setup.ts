import { buildAll } from '../../apps/ghibli/build';

/** Builds the app once for all of its tests, as its image does. */
export default async function setup(): Promise<void> {
  await buildAll();
}
