import {
  DeleteParametersCommand,
  DescribeInstanceInformationCommand,
  DescribeSessionsCommand,
  GetCommandInvocationCommand,
  GetParameterCommand,
  GetParametersByPathCommand,
  InvalidDocument,
  InvalidInstanceId,
  InvocationDoesNotExist,
  ParameterAlreadyExists,
  ParameterNotFound,
  PutParameterCommand,
  SendCommandCommand,
} from '@aws-sdk/client-ssm';
import type { Ec2 } from './ec2';
import { details } from './errors';
import { after, Service } from './service';

/** How a node answers a command. */
export interface CommandAnswer {
  /** How long the script runs. */
  seconds: number;
  /** The JSON of its last line of output; `ok: false` makes the command fail. */
  result: { ok: boolean } & Record<string, unknown>;
  /** What the script did, at its end. */
  effect?: () => void;
}

/** Plays a document's script: `(parameters, instanceId) => answer`. */
export type DocumentScript = (parameters: Record<string, string>, instanceId: string) => CommandAnswer;

interface Invocation {
  instanceId: string;
  status: 'Pending' | 'InProgress' | 'Success' | 'Failed' | 'TimedOut';
  output: string;
}

/** Until GetCommandInvocation knows a command that was just sent (ms). */
const APPEARS_AFTER_MS = 1000;
/** A command that is not delivered by then is given up (ms). */
const DELIVERY_MS = 60_000;
const PAGE = 10;

/** Systems Manager: parameters, and Run Command with scripts that tests can replace. */
export class Ssm extends Service {
  readonly prefix = 'ssm';
  readonly parameters = new Map<string, string>();
  /** The documents that exist, by name. */
  readonly documents = new Map<string, DocumentScript>();
  /** Instances on which somebody has a session open. */
  readonly sessions = new Set<string>();
  /** From the time that an instance runs until its agent has registered (s). */
  agentSeconds = 30;
  /** False: no agent answers, as if all had lost their way to Systems Manager. */
  agentsAnswer = true;
  /** False: commands are accepted, and reach nobody. */
  delivers = true;
  private readonly invocations = new Map<string, Invocation>();
  private count = 0;

  constructor(private readonly ec2: Ec2) {
    super();
    this.on(GetParametersByPathCommand, ({ Path = '', NextToken }) => {
      const names = [...this.parameters.keys()].filter((name) => name.startsWith(`${Path}/`)).sort();
      const from = Number(NextToken ?? 0);
      return {
        Parameters: names.slice(from, from + PAGE).map((Name) => ({ Name, Type: 'SecureString', Value: 'sealed' })),
        ...(from + PAGE < names.length && { NextToken: String(from + PAGE) }),
      };
    });
    this.on(GetParameterCommand, ({ Name = '' }) => {
      const Value = this.parameters.get(Name);
      if (Value === undefined) throw new ParameterNotFound(details(`Parameter ${Name} not found.`));
      return { Parameter: { Name, Type: 'SecureString', Value } };
    });
    this.on(PutParameterCommand, ({ Name = '', Value = '', Overwrite = false }) => {
      if (!Overwrite && this.parameters.has(Name)) {
        throw new ParameterAlreadyExists(details('The parameter already exists.'));
      }
      this.parameters.set(Name, Value);
      return {};
    });
    this.on(DescribeSessionsCommand, () => ({
      Sessions: [...this.sessions].map((Target) => ({ SessionId: `ann-${Target}`, Target, Status: 'Connected' })),
    }));
    this.on(DescribeInstanceInformationCommand, ({ Filters }) => ({
      InstanceInformationList: (Filters?.[0]?.Values ?? [])
        .filter((id) => this.isRegistered(id))
        .map((InstanceId) => ({ InstanceId, PingStatus: 'Online' })),
    }));
    this.on(DeleteParametersCommand, ({ Names = [] }) => ({
      DeletedParameters: Names.filter((name) => this.parameters.delete(name)),
    }));
    this.on(SendCommandCommand, ({ DocumentName = '', InstanceIds = [], Parameters = {} }) => {
      const script = this.documents.get(DocumentName);
      if (!script) throw new InvalidDocument(details(`Document ${DocumentName} does not exist`));
      const [instanceId = ''] = InstanceIds;
      if (!this.isRegistered(instanceId)) {
        throw new InvalidInstanceId(details('Instances [[...]] not in a valid state for account 123456789012'));
      }
      const flat = Object.fromEntries(Object.entries(Parameters).map(([name, values]) => [name, values[0] ?? '']));
      return { Command: { CommandId: this.run(script, flat, instanceId) } };
    });
    this.on(GetCommandInvocationCommand, ({ CommandId = '' }) => {
      const invocation = this.invocations.get(CommandId);
      if (!invocation) throw new InvocationDoesNotExist(details('The command ID and instance ID do not match'));
      const { instanceId, status, output } = invocation;
      const StandardErrorContent = status === 'Failed' ? 'failed to run commands: exit status 1' : '';
      const StandardOutputContent = output;
      return {
        CommandId,
        InstanceId: instanceId,
        Status: status,
        StatusDetails: status,
        StandardErrorContent,
        StandardOutputContent,
      };
    });
  }

  private isRegistered(instanceId: string): boolean {
    const { state, runningAt } = this.ec2.get(instanceId);
    return (
      this.agentsAnswer &&
      state === 'running' &&
      runningAt !== undefined &&
      Date.now() - runningAt >= this.agentSeconds * 1000
    );
  }

  private run(script: DocumentScript, parameters: Record<string, string>, instanceId: string): string {
    this.count += 1;
    const id = `command-${String(this.count)}`;
    const { seconds, result, effect } = script(parameters, instanceId);
    const invocation: Invocation = { instanceId, status: 'Pending', output: '' };
    after(APPEARS_AFTER_MS, () => this.invocations.set(id, invocation));
    if (!this.delivers) {
      after(DELIVERY_MS, () => (invocation.status = 'TimedOut'));
      return id;
    }
    after(APPEARS_AFTER_MS + 500, () => (invocation.status = 'InProgress'));
    after(APPEARS_AFTER_MS + 500 + seconds * 1000, () => {
      // A command on an instance that ended stays in progress until SSM gives it up.
      if (this.ec2.get(instanceId).state !== 'running') return;
      effect?.();
      invocation.status = result.ok ? 'Success' : 'Failed';
      invocation.output = `working\n${JSON.stringify(result)}\n`;
    });
    after(Number(parameters.ExecutionTimeout ?? 3600) * 1000 + 60_000, () => {
      if (invocation.status === 'InProgress') invocation.status = 'TimedOut';
    });
    return id;
  }
}
