import { Validations } from 'aws-cdk-lib';
import * as apigw from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { type Route, ROUTES } from '../../../core/api/routes';
import { pascalCase } from '../../steps/steps';
import { ClusterLogGroup } from '../logs/cluster-log-group';

export interface WakeApiProps {
  apiName: string;
  /** What answers each route, for example `GET /status`. */
  routes: Readonly<Record<Route, IFunction>>;
  logRetentionDays: number;
}

/** Why a route has no authorizer. */
const OPEN = 'The page: its function lets in by signed links, and tells nothing to anybody else';

/** Requests a second, over all callers: enough for a page that polls, too little to run up a bill. */
const THROTTLE = { rateLimit: 5, burstLimit: 10 };

/** HTTP API that answers while everything else is off, to requests signed with AWS credentials and to signed links. */
export class WakeApi extends Construct {
  readonly api: apigw.HttpApi;

  constructor(scope: Construct, id: string, { apiName, routes, logRetentionDays }: WakeApiProps) {
    super(scope, id);
    this.api = new apigw.HttpApi(this, 'Api', {
      apiName,
      description: 'Wakes the cluster, keeps it awake, and tells how it is',
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
    // Routes that one function answers share its integration.
    const integrations = new Map<IFunction, HttpLambdaIntegration>();
    for (const [route, handler] of Object.entries<IFunction>(routes)) {
      const [method = '', path = ''] = route.split(' ');
      const integration =
        integrations.get(handler) ?? new HttpLambdaIntegration(pascalCase(path.slice(1)) || 'Page', handler);
      integrations.set(handler, integration);
      const methods = Object.values(apigw.HttpMethod).filter((one: string) => one === method);
      // What links may do is the function's own business: it knows them.
      const open = ROUTES[route as Route].security !== 'iam';
      const authorizer = open ? { authorizer: new apigw.HttpNoneAuthorizer() } : {};
      for (const made of this.api.addRoutes({ path, methods, integration, ...authorizer })) {
        if (open) Validations.of(made).acknowledge({ id: 'AwsSolutions-APIG4', reason: OPEN });
      }
    }
  }
}
