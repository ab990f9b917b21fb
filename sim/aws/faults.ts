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
  /** What the call throws; `hang`: it never ends. */
  with: 'hang' | (() => Error);
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

  /** Does what the first fault that matches this call says; returns if there is none. */
  async strike(call: Pick<Call, 'caller' | 'service' | 'action'>): Promise<void> {
    const fault = this.active.find(
      ({ left, ...wanted }) =>
        left > 0 &&
        (call.service !== 'lambda' || wanted.service === 'lambda') &&
        (['caller', 'service', 'action'] as const).every(
          (key) => wanted[key] === undefined || wanted[key] === call[key],
        ),
    );
    if (!fault) return;
    fault.left -= 1;
    if (fault.with === 'hang') await new Promise(() => undefined);
    else throw fault.with();
  }
}
