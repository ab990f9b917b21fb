import * as z from 'zod';

/** EventBridge's names of the events that tell of a node's end, by the service that sends them. */
export const TERMINATED = 'EC2 Instance Terminate Successful';
export const INTERRUPTED = 'EC2 Spot Instance Interruption Warning';

/** Auto Scaling's words for an end that a group's smaller size asked for: a sleep's, an autoscaler's, a person's. */
export const SCALE_IN = 'shrinking the capacity';

/** An Auto Scaling group has ended an instance. */
const terminated = z.object({
  'detail-type': z.literal(TERMINATED),
  time: z.string(),
  detail: z.object({ EC2InstanceId: z.string(), Cause: z.string().default('') }),
});

/** Spot will take an instance in two minutes. */
const interrupted = z.object({
  'detail-type': z.literal(INTERRUPTED),
  time: z.string(),
  detail: z.object({ 'instance-id': z.string(), 'instance-action': z.string().default('terminate') }),
});

export const nodeEvent = z.union([terminated, interrupted]);
export type NodeEvent = z.infer<typeof nodeEvent>;

/** What an event says, in one form. */
export function readNodeEvent(event: NodeEvent) {
  if (event['detail-type'] === TERMINATED) {
    const { EC2InstanceId: instanceId, Cause: cause } = event.detail;
    return { instanceId, what: 'terminated' as const, cause, at: event.time };
  }
  const { 'instance-id': instanceId, 'instance-action': action } = event.detail;
  return { instanceId, what: 'interrupted' as const, cause: `Spot will ${action} it in two minutes`, at: event.time };
}
