import { servicePrincipalName } from '../access/service-principal';

/**
 * Saved Logs Insights queries over the trail. `eventSource` names the service, `userIdentity.sessionContext` the role
 * under which a function, workflow or node called.
 */
export const AUDIT_QUERIES: Readonly<Record<string, readonly string[]>> = {
  'denied-calls-by-role': [
    'filter errorCode like /AccessDenied|UnauthorizedOperation|AuthFailure/',
    'stats count(*) as calls, latest(eventTime) as last by userIdentity.sessionContext.sessionIssuer.userName as role, eventSource, eventName',
    'sort calls desc',
  ],
  'denied-calls': [
    'filter errorCode like /AccessDenied|UnauthorizedOperation|AuthFailure/',
    'fields eventTime, userIdentity.arn, eventSource, eventName, errorMessage',
    'sort eventTime desc',
    'limit 200',
  ],
  'who-woke-or-slept-the-cluster': [
    `filter eventSource = "${servicePrincipalName('states')}" and eventName in ["StartExecution", "StopExecution"]`,
    'fields eventTime, userIdentity.arn, eventName, requestParameters.stateMachineArn, requestParameters.executionArn, sourceIPAddress',
    'sort eventTime desc',
    'limit 200',
  ],
  'who-wrote-what-nodes-run': [
    `filter eventSource = "${servicePrincipalName('s3')}" and eventName in ["PutObject", "DeleteObject", "DeleteObjects", "CompleteMultipartUpload", "CopyObject"]`,
    'filter requestParameters.key like /^(node|platform)\\// or eventName = "DeleteObjects"',
    'fields eventTime, userIdentity.arn, eventName, requestParameters.key, errorCode, sourceIPAddress',
    'sort eventTime desc',
    'limit 200',
  ],
  'changes-to-security-groups': [
    'filter eventName like /SecurityGroup(Ingress|Egress|RuleDescriptions)?/ and eventName not like /^Describe/',
    'fields eventTime, userIdentity.arn, eventName, requestParameters.groupId, sourceIPAddress',
    'sort eventTime desc',
    'limit 200',
  ],
};
