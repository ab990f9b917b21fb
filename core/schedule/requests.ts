/** By which prefix of `requestedBy` a start tells that nobody asked for it in person. */
const AUTOMATIC = /^(schedule|catch-up|idle|capacity|look-after):(.*)$/s;

/** What started a workflow without a person: a schedule, a missed trigger made good, the idle detector, a retry. */
export interface AutomaticStart {
  kind: 'schedule' | 'catch-up' | 'idle' | 'capacity' | 'look-after';
  /** Name of the schedule, or why. */
  name: string;
}

/** Who started a workflow, if it was not a person; a person's request is never held back by an override. */
export function automaticStart(requestedBy: string): AutomaticStart | undefined {
  const [, kind, name = ''] = AUTOMATIC.exec(requestedBy) ?? [];
  return kind === undefined ? undefined : { kind: kind as AutomaticStart['kind'], name };
}
