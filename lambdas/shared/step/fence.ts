import { AsyncLocalStorage } from 'node:async_hooks';

/** A check is believed for so long (ms): what is done after a slow call is checked anew. */
const BELIEVED_MS = 3_000;
/** Calls that change nothing, and the table's, whose writes have conditions of their own. */
const HARMLESS = /^(Describe|Get|List|Head|(Update|Put|Delete)(Item)?$|Publish)/;

interface Fence {
  check: () => Promise<void>;
  checkedAt: number;
}

const fences = new AsyncLocalStorage<Fence>();

/**
 * Runs a step whose execution must hold the lease: whatever it changes, it checks that right before, unless it has just
 * done so. A function that was held up by a slow call must not start what another workflow has stopped meanwhile.
 * @param check throws if the lease is lost
 */
export async function withFence<Result>(check: () => Promise<void>, run: () => Promise<Result>): Promise<Result> {
  await check();
  return fences.run({ check, checkedAt: Date.now() }, run);
}

/** Called before each call of AWS. @param action for example `UpdateAutoScalingGroup` */
export async function passFence(action: string): Promise<void> {
  const fence = fences.getStore();
  if (!fence || HARMLESS.test(action) || Date.now() - fence.checkedAt < BELIEVED_MS) return;
  const before = fence.checkedAt;
  fence.checkedAt = Date.now();
  try {
    await fence.check();
  } catch (error) {
    fence.checkedAt = before;
    throw error;
  }
}
