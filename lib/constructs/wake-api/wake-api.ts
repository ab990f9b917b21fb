import * as apigw from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { ClusterLogGroup } from '../logs/cluster-log-group';

export interface WakeApiProps {
  apiName: string;
  requestWake: IFunction;
  getStatus: IFunction;
  logRetentionDays: number;
}

/** Requests a second, over all callers: enough for a page that polls, too little to run up a bill. */
const THROTTLE = { rateLimit: 5, burstLimit: 10 };

/** HTTP API that answers while everything else is off: POST /wake and GET /status, signed with AWS credentials. */
export class WakeApi extends Construct {
  readonly api: apigw.HttpApi;

  constructor(scope: Construct, id: string, { apiName, requestWake, getStatus, logRetentionDays }: WakeApiProps) {
    super(scope, id);
    this.api = new apigw.HttpApi(this, 'Api', {
      apiName,
      description: 'Wakes the cluster and tells how it is',
      createDefaultStage: false,
      defaultAuthorizer: new HttpIamAuthorizer(),
    });
    new apigw.HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      throttle: THROTTLE,
      accessLogSettings: {
        destination: new apigw.LogGroupLogDestination(
          new ClusterLogGroup(this, 'Logs', {
            logGroupName: `/drowse/${apiName}/access`,
            retentionDays: logRetentionDays,
          }),
        ),
      },
    });
    this.api.addRoutes({
      path: '/wake',
      methods: [apigw.HttpMethod.POST],
      integration: new HttpLambdaIntegration('RequestWake', requestWake),
    });
    this.api.addRoutes({
      path: '/status',
      methods: [apigw.HttpMethod.GET],
      integration: new HttpLambdaIntegration('GetStatus', getStatus),
    });
  }
}
