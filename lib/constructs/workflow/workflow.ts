import { ArnFormat, Stack, Validations } from 'aws-cdk-lib';
import { Role } from 'aws-cdk-lib/aws-iam';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { acknowledgeWildcard, allow, type Statement, WHY } from '../access/statement';
import { workflowLogGroup } from '../../../core/config/names';
import { ClusterLogGroup } from '../logs/cluster-log-group';
import { pascalCase } from '../../steps/steps';
import { allStates, type Definition, readDefinition } from '../../workflows/definition';
import type { StepLambda } from '../step-lambda/step-lambda';
import { servicePrincipal } from '../access/service-principal';

export interface WorkflowProps {
  stateMachineName: string;
  /** The state machine's file, `statemachines/<name>.asl.json`. */
  file: string;
  /** All steps by name; the workflow may invoke those that its file names. */
  steps: Readonly<Record<string, StepLambda>>;
  /** Workflows that it may start, by name. */
  workflows: Readonly<Record<string, Workflow>>;
  logRetentionDays: number;
}

/** A state machine's file names a step or workflow that does not exist. */
export class UnknownPlaceholder extends Error {
  override readonly name = 'UnknownPlaceholder';
}

/**
 * A state machine from its file. What the file names by `${…Arn}` is what it gets: the ARN by substitution, and the
 * permission to use it, and nothing else.
 */
export class Workflow extends Construct {
  readonly stateMachine: sfn.StateMachine;
  readonly stateMachineName: string;

  constructor(scope: Construct, id: string, props: WorkflowProps) {
    super(scope, id);
    const { file, steps, workflows, stateMachineName } = props;
    this.stateMachineName = stateMachineName;
    const read = readDefinition(file, Stack.of(this).partition);
    const definition = JSON.stringify(read);
    const invoked = placeholdersOf(definition);
    const used = {
      steps: Object.entries(steps).filter(([name]) => invoked.has(placeholder(name))),
      workflows: Object.entries(workflows).filter(([name]) => invoked.has(placeholder(name))),
    };
    const substitutions = Object.fromEntries([
      ...used.steps.map(([name, step]) => [placeholder(name), step.function.functionArn] as const),
      ...used.workflows.map(([name, { stateMachine }]) => [placeholder(name), stateMachine.stateMachineArn] as const),
    ]);
    const unknown = [...invoked].filter((name) => !(name in substitutions));
    if (unknown.length > 0) {
      throw new UnknownPlaceholder(`${file} names ${unknown.join(', ')}: there is no such step or workflow`);
    }

    const role = new Role(this, 'Role', {
      assumedBy: servicePrincipal('states'),
      description: `Workflow ${stateMachineName}`,
    });
    const functions = used.steps.map(([, step]) => step.function.functionArn);
    if (functions.length > 0) {
      allow(role, { sid: 'InvokeSteps', actions: ['lambda:InvokeFunction'], resources: functions });
    }
    const children = used.workflows.map(([, workflow]) => workflow);
    if (children.length > 0) {
      allow(role, {
        sid: 'StartWorkflows',
        actions: ['states:StartExecution'],
        resources: children.map(({ stateMachine }) => stateMachine.stateMachineArn),
      });
    }
    const awaited = awaitedBy(read);
    const watched = used.workflows.filter(([name]) => awaited.has(placeholder(name))).map(([, workflow]) => workflow);
    if (watched.length > 0) for (const statement of this.waitFor(watched)) allow(role, statement);
    acknowledgeWildcard(role, '*', `Delivery of logs: ${WHY.noResourceLevel}`);

    this.stateMachine = new sfn.StateMachine(this, 'StateMachine', {
      stateMachineName,
      definitionBody: sfn.DefinitionBody.fromString(definition),
      definitionSubstitutions: substitutions,
      role,
      logs: {
        level: sfn.LogLevel.ALL,
        includeExecutionData: true,
        destination: new ClusterLogGroup(this, 'Logs', {
          logGroupName: workflowLogGroup(stateMachineName),
          retentionDays: props.logRetentionDays,
        }),
      },
    });
    Validations.of(this.stateMachine).acknowledge({
      id: 'AwsSolutions-SF2',
      reason:
        'Traces would add nothing: the execution’s history shows every step with its times, and is logged in full',
    });
  }

  /** What `startExecution.sync:2` needs beside the start: look at the child, stop it, and hear of its end by an event. */
  private waitFor(workflows: readonly Workflow[]): Statement[] {
    const executionArn = ({ stateMachineName }: Workflow) =>
      Stack.of(this).formatArn({
        service: 'states',
        resource: 'execution',
        resourceName: `${stateMachineName}:*`,
        arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      });
    return [
      {
        sid: 'WatchWorkflows',
        actions: ['states:DescribeExecution', 'states:StopExecution'],
        resources: workflows.map(executionArn),
        why: WHY.named,
      },
      {
        sid: 'HearOfWorkflows',
        actions: ['events:PutTargets', 'events:PutRule', 'events:DescribeRule'],
        resources: [
          Stack.of(this).formatArn({
            service: 'events',
            resource: 'rule',
            resourceName: 'StepFunctionsGetEventsForStepFunctionsExecutionRule',
          }),
        ],
      },
    ];
  }
}

function placeholder(name: string): string {
  return `${pascalCase(name)}Arn`;
}

/** Placeholders of the workflows whose end a definition waits for; others are started and left to themselves. */
function awaitedBy(definition: Definition): Set<string> {
  const waiting = allStates(definition).filter(([, { Resource }]) => Resource?.endsWith('startExecution.sync:2'));
  return new Set(waiting.flatMap(([, state]) => [...placeholdersOf(JSON.stringify(state.Parameters))]));
}

/** Names between `${` and `}` in a definition. */
export function placeholdersOf(definition: string): Set<string> {
  return new Set([...definition.matchAll(/\$\{(\w+)\}/g)].map(([, name = '']) => name));
}
