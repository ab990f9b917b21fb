import * as z from 'zod';
import { problem } from './answers';
import { type RouteDocument, ROUTES } from './routes';

/** How each kind of route is called. */
const SECURITY_SCHEMES = {
  iam: {
    type: 'apiKey',
    in: 'header',
    name: 'Authorization',
    description: 'AWS Signature Version 4 of the service execute-api, by an identity with execute-api:Invoke',
    'x-amazon-apigateway-authtype': 'awsSigv4',
  },
  link: {
    type: 'http',
    scheme: 'bearer',
    description: 'The secret of a signed link (POST /links); the page has it in a cookie and sends a token along',
  },
} as const;

/** The document of the HTTP API (OpenAPI 3.1), made of the table of its routes. */
export function openApiDocument(): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const [route, described] of Object.entries<RouteDocument>(ROUTES)) {
    const [method = '', path = ''] = route.split(' ');
    (paths[path] ??= {})[method.toLowerCase()] = operationOf(described);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'drowse',
      version: '1',
      description: 'Wakes a cluster, puts it to sleep, and tells how it is. Answers while everything else is off.',
    },
    paths,
    components: { securitySchemes: SECURITY_SCHEMES, schemas: { Problem: schemaOf(problem, 'output') } },
  };
}

function operationOf({ summary, security, body, answers }: RouteDocument): object {
  const responses: Record<string, object> = {
    default: { description: 'Refused, or failed', content: json({ $ref: '#/components/schemas/Problem' }) },
  };
  for (const [status, { description, schema }] of Object.entries(answers)) {
    responses[status] = { description, ...(schema && { content: json(schemaOf(schema, 'output')) }) };
  }
  return {
    summary,
    security: security === 'none' ? [] : [{ [security]: [] }],
    ...(body && { requestBody: { required: body.required, content: json(schemaOf(body.schema, 'input')) } }),
    responses,
  };
}

function json(schema: object): object {
  return { 'application/json': { schema } };
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}
