import { CfnQueryDefinition } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { namesOf } from '../../../core/config/names';

export interface WorkflowQueriesProps {
  cluster: string;
  /** Log groups of the workflows. */
  workflows: readonly string[];
  /** Log groups of the steps. */
  steps: readonly string[];
}

/** Lines of the query for workflows that ended badly, newest first. */
export const FAILED_WORKFLOWS = [
  'filter type in ["ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted"]',
  'fields @timestamp, execution_arn, type, details.error, details.cause',
  'sort @timestamp desc',
  'limit 100',
] as const;

/** A saved query asks no more log groups than this. */
const MOST_GROUPS = 50;

/** Saved Logs Insights queries that answer what one asks of a sleep or wake that went wrong, or took long. They cost what they read. */
export class WorkflowQueries extends Construct {
  constructor(scope: Construct, id: string, { cluster, workflows, steps }: WorkflowQueriesProps) {
    super(scope, id);
    const query = (name: string, logGroupNames: readonly string[], ...lines: string[]): void => {
      new CfnQueryDefinition(this, name, {
        name: `drowse/${cluster}/${name}`,
        logGroupNames: logGroupNames.slice(0, MOST_GROUPS),
        queryString: lines.join('\n| '),
      });
    };
    query('failed-workflows', workflows, ...FAILED_WORKFLOWS);
    query(
      'steps-tried-again',
      workflows,
      'filter type in ["LambdaFunctionFailed", "TaskFailed", "LambdaFunctionTimedOut"]',
      'stats count(*) as times, latest(details.cause) as last by details.error, execution_arn',
      'sort times desc',
    );
    query(
      'what-steps-could-not-do',
      steps,
      'filter level in ["WARN", "ERROR"]',
      'fields @timestamp, service, message, error.name, error.message, execution',
      'sort @timestamp desc',
      'limit 200',
    );
    query(
      'nodes-that-gave-up',
      [namesOf(cluster).nodeLogGroup],
      'filter @message like /fatal|failed:/',
      'fields @timestamp, @logStream, @message',
      'sort @timestamp desc',
      'limit 200',
    );
    query(
      'who-changed-what-in-the-cluster',
      [namesOf(cluster).nodeLogGroup],
      'filter @logStream like /\\/audit$/',
      'parse @message /"verb":"(?<verb>[^"]+)"/',
      'parse @message /"user":\\{"username":"(?<who>[^"]+)"/',
      'parse @message /"requestURI":"(?<what>[^"]+)"/',
      'parse @message /"code":(?<code>\\d+)/',
      'filter who not like /^system:/',
      'fields @timestamp, who, verb, what, code',
      'sort @timestamp desc',
      'limit 200',
    );
  }
}
