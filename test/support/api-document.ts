import Ajv2020, { type ValidateFunction } from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { openApiDocument } from '../../core/api/openapi';

interface Operation {
  summary: string;
  security: Record<string, never[]>[];
  requestBody?: { required: boolean; content: Record<string, { schema: object }> };
  responses: Record<string, { description: string; content?: Record<string, { schema: object }> }>;
}
interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { securitySchemes: Record<string, object>; schemas: Record<string, object> };
}

export const DOCUMENT = openApiDocument() as Document;

/** Routes of the document, for example `GET /status`. */
export const DOCUMENTED = Object.entries(DOCUMENT.paths).flatMap(([path, operations]) =>
  Object.entries(operations).map(([method, operation]) => ({ route: `${method.toUpperCase()} ${path}`, operation })),
);

const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats(ajv);
ajv.addSchema({ $id: 'document', components: DOCUMENT.components });
const validators = new Map<string, ValidateFunction>();

/** What is wrong with an answer, by the document; nothing if all is well. */
export function answerProblems(route: string, status: number, body: unknown): string[] {
  const operation = DOCUMENTED.find((one) => one.route === route)?.operation;
  if (operation === undefined) return [`${route} is not in the document`];
  const { [status]: told = status >= 400 ? operation.responses.default : undefined } = operation.responses;
  if (told === undefined) return [`${route} may not answer ${String(status)}`];
  const schema = told.content?.['application/json']?.schema;
  if (schema === undefined) return [];
  const key = `${route} ${String(status)}`;
  const text = JSON.stringify(schema).replaceAll('"#/components', '"document#/components');
  const validate = validators.get(key) ?? ajv.compile(JSON.parse(text) as object);
  validators.set(key, validate);
  return validate(body) ? [] : (validate.errors ?? []).map((error) => `${key}: ${ajv.errorsText([error])}`);
}
