import type { Context } from 'aws-lambda';

/** Who asks, where nothing else is said. */
export const CALLER = 'arn:aws:iam::123456789012:user/operator';

/** What API Gateway hands to a function for a request (payload format 2.0), as far as functions look at it. */
export function apiEvent(
  route: string,
  {
    body,
    authorizer = { iam: { userArn: CALLER } },
    isBase64Encoded = false,
  }: { body?: string | undefined; authorizer?: object; isBase64Encoded?: boolean } = {},
): object {
  const [method = '', path = ''] = route.split(' ');
  return {
    version: '2.0',
    routeKey: route,
    rawPath: path,
    rawQueryString: '',
    headers: { 'content-type': 'application/json' },
    requestContext: {
      domainName: 'id.execute-api.us-east-1.amazonaws.com',
      http: { method, path },
      authorizer,
    },
    ...(body !== undefined && { body }),
    isBase64Encoded,
  };
}

/** What Lambda tells a function of an invocation: nothing that functions of the API look at. */
export const NO_CONTEXT = {} as Context;
