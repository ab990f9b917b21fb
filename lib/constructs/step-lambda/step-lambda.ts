import { Duration } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { functionLogGroup } from '../../../core/config/names';
import { ClusterLogGroup } from '../logs/cluster-log-group';
import { allow } from '../access/statement';
import type { Step } from '../../steps/steps';
import { functionRole } from '../access/function-role';

export interface StepLambdaProps {
  /** The step's folder, for example `drain-nodes`: what its log lines say. */
  step: string;
  functionName: string;
  definition: Step;
  /** Folder that holds `index.js`, the handler's bundle. */
  codePath: string;
  logRetentionDays: number;
  logLevel: LogLevel;
}

/** How much the functions log; DEBUG shows every AWS call. */
export type LogLevel = 'DEBUG' | 'INFO' | 'WARN';

/** One step of a workflow: a function, its log group, and a role that may do what the step does and nothing else. */
export class StepLambda extends Construct {
  readonly function: lambda.Function;

  constructor(scope: Construct, id: string, props: StepLambdaProps) {
    super(scope, id);
    const { step, functionName, definition, codePath } = props;
    const logGroup = new ClusterLogGroup(this, 'Logs', {
      logGroupName: functionLogGroup(functionName),
      retentionDays: props.logRetentionDays,
    });
    const role = functionRole(this, { description: `Step ${step}`, logGroup });
    for (const grant of definition.grants) allow(role, grant);
    this.function = new lambda.Function(this, 'Function', {
      functionName,
      description: `Step ${step}`,
      runtime: NODE_24,
      architecture: lambda.Architecture.ARM_64,
      memorySize: 256,
      timeout: Duration.seconds(60),
      code: lambda.Code.fromAsset(codePath),
      handler: 'index.handler',
      role,
      logGroup,
      environment: {
        ...definition.environment,
        POWERTOOLS_SERVICE_NAME: step,
        POWERTOOLS_LOG_LEVEL: props.logLevel,
      },
    });
  }
}

const NODE_24 = lambda.Runtime.NODEJS_24_X;
