import { resourcesOf, synthesize } from '../support/stacks';
import { answerProblems, DOCUMENT, DOCUMENTED } from '../support/api-document';

const AUTHORIZATION: Record<string, string> = { iam: 'AWS_IAM' };

test('every route of the stack is in the document, and the reverse, with the same authorization', () => {
  const made = resourcesOf(synthesize('').templates.operations, 'AWS::ApiGatewayV2::Route').map(
    ([, { Properties }]) => `${String(Properties?.RouteKey)} ${String(Properties?.AuthorizationType)}`,
  );
  const told = DOCUMENTED.map(({ route, operation: { security } }) => {
    const [scheme = ''] = Object.keys(security[0] ?? {});
    return `${route} ${AUTHORIZATION[scheme] ?? 'NONE'}`;
  });
  expect(told.sort()).toEqual(made.sort());
});

test('the document is OpenAPI 3.1: every route says what it does, how it is called and what it answers', () => {
  expect(DOCUMENT.openapi).toBe('3.1.0');
  for (const { route, operation } of DOCUMENTED) {
    const { summary, security, responses } = operation;
    expect([route, summary]).toEqual([route, expect.stringMatching(/^[A-Z].{10,}[^.]$/) as string]);
    for (const scheme of security.flatMap((one) => Object.keys(one)))
      expect(DOCUMENT.components.securitySchemes).toHaveProperty(scheme);
    expect(Object.keys(responses)).toEqual(expect.arrayContaining(['default']));
    for (const { description } of Object.values(responses)) expect(description).not.toBe('');
  }
});

test('an answer that the document does not know is noticed', () => {
  const error = { error: 'X', message: 'y' };
  expect(answerProblems('POST /wake', 400, error)).toEqual([]);
  expect(answerProblems('POST /wake', 200, { state: 'awake', message: 'x', more: 1 })).toHaveLength(1);
  expect(answerProblems('POST /wake', 200, { state: 'dozing', message: 'x' })).toHaveLength(1);
  expect(answerProblems('POST /wake', 400, {})).toHaveLength(2);
  expect(answerProblems('POST /wake', 201, error)).toEqual(['POST /wake may not answer 201']);
  expect(answerProblems('POST /walk', 200, {})).toEqual(['POST /walk is not in the document']);
});
