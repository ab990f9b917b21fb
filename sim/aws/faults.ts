import type { Call } from './calls';

/**
 * Which calls go wrong, how often, and how. Fields that are left out match everything, but for the invocation of a step's
 * function, which only `service: 'lambda'` matches.
 */
export interface Fault {
  caller?: string;
  service?: string;
  action?: string;
  /** How many calls go wrong; without it, all. */
  times?: number;
  /** True if it meets each of the SDK's own attempts by itself, which count as calls of their own: few of them never reach a step. */
  eachAttempt?: boolean;
  /**
   * What the call throws, or how much longer it takes; `hang`: it never ends; `lost-answer`: it has its effect, and the SDK, which has no answer, makes
   * it again; `after-effect`: it has its effect, and the SDK gives up.
   */
  with: 'hang' | 'lost-answer' | 'after-effect' | { seconds: number } | (() => Error);
}

/** Marks an error that the SDK does not give up at. */
const AGAIN = Symbol('the SDK tries again');
/** Attempts of the SDK for one call, as `CONFIG` of lambdas/shared/clients/clients.ts has them. */
const ATTEMPTS = 5;
/** Pause before its second attempt (ms); each further one is twice as long. The SDK shortens them at random. */
const FIRST_PAUSE_MS = 100;

/** Does what the SDK does around a call: it tries again, with growing pauses. */
export async function asSdk<T>(attempt: () => Promise<T>): Promise<T> {
  for (let count = 1; ; count += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (count === ATTEMPTS || !(error as { [AGAIN]?: true })[AGAIN]) throw error;
      await new Promise((resolve) => setTimeout(resolve, FIRST_PAUSE_MS * 2 ** (count - 1)));
    }
  }
}

/** The faults of one model, in the order in which they were added. */
export class Faults {
  private active: (Fault & { left: number })[] = [];

  add(fault: Fault): void {
    this.active.push({ ...fault, left: fault.times ?? Number.POSITIVE_INFINITY });
  }

  clear(): void {
    this.active = [];
  }

  /** Does what the first fault that matches this call says; returns what is left to the caller, or if there is none. */
  async strike(call: Pick<Call, 'caller' | 'service' | 'action'>): Promise<'lost-answer' | 'after-effect' | undefined> {
    const fault = this.active.find(
      ({ left, ...wanted }) =>
        left > 0 &&
        (call.service !== 'lambda' || wanted.service === 'lambda') &&
        (['caller', 'service', 'action'] as const).every(
          (key) => wanted[key] === undefined || wanted[key] === call[key],
        ),
    );
    if (!fault) return undefined;
    fault.left -= 1;
    if (typeof fault.with === 'function') {
      const error = fault.with();
      throw fault.eachAttempt ? Object.assign(error, { [AGAIN]: true }) : error;
    }
    if (fault.with === 'hang') await new Promise(() => undefined);
    if (fault.with === 'hang') return undefined;
    if (typeof fault.with === 'string') return fault.with;
    const { seconds } = fault.with;
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    return undefined;
  }
}
