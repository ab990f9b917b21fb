import { appendFileSync } from 'node:fs';

/** One call of AWS, as a test compares it with what the caller's role grants. */
export interface Call {
  /** Who called: a step (`drain-nodes`) or whatever drives the model. */
  caller: string;
  /** IAM's prefix of the service: `ec2`, `autoscaling`, `elasticloadbalancing`, `ssm`, `dynamodb`, `states`. */
  service: string;
  /** The API's action, for example `DescribeInstances`. */
  action: string;
  input: object;
  /** Virtual time, UTC ISO. */
  at: string;
}

/** The calls of one model. With `DROWSE_CALLS_FILE` set, each is also appended to that file as a line of JSON. */
export class CallLog {
  readonly all: Call[] = [];

  add(call: Omit<Call, 'at'>): void {
    const full = { ...call, at: new Date().toISOString() };
    this.all.push(full);
    const file = process.env.DROWSE_CALLS_FILE;
    if (file) appendFileSync(file, `${JSON.stringify(full)}\n`);
  }

  /** The calls of one action, by anybody. */
  of(action: string): Call[] {
    return this.all.filter((call) => call.action === action);
  }
}
