import type { SendCommandCommandInput } from '@aws-sdk/client-ssm';
import { namesOf } from '../../../core/config/names';

/** A command of the node bundle, as it is asked for. */
export interface CommandRequest {
  /** Verb-noun: names the document of Systems Manager. */
  command: string;
  parameters: Readonly<Record<string, string>>;
  /** Longest run of the script (s). */
  seconds: number;
}

/** What Systems Manager is sent to run a command of the node bundle on an instance. */
export function commandRequest(
  cluster: string,
  instanceId: string,
  { command, parameters, seconds }: CommandRequest,
): SendCommandCommandInput {
  return {
    DocumentName: namesOf(cluster).document(command),
    InstanceIds: [instanceId],
    // TimeoutSeconds bounds delivery only; the document passes ExecutionTimeout to the script's runner.
    TimeoutSeconds: 60,
    Parameters: {
      ExecutionTimeout: [String(seconds)],
      ...Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, [value]])),
    },
  };
}
