import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Ajv from 'ajv';
import addFormats from 'ajv-formats';
import { answersSchema } from '../../cli/drowse/answers';
import { run } from '../../cli/drowse/program';

/** What the command prints, and how it ends. */
export interface Ended {
  code: number;
  out: string;
  err: string;
}

/** Runs the command in this process. Nothing that it prints has colours, as it goes to no terminal. */
export async function drowse(...args: string[]): Promise<Ended> {
  const printed = { out: '', err: '' };
  const spies = [
    jest.spyOn(console, 'log').mockImplementation((line) => void (printed.out += `${String(line)}\n`)),
    jest.spyOn(console, 'error').mockImplementation((line) => void (printed.err += `${String(line)}\n`)),
    jest.spyOn(process.stdout, 'write').mockImplementation((text) => (printed.out += String(text)) !== ''),
    jest.spyOn(process.stderr, 'write').mockImplementation((text) => (printed.err += String(text)) !== ''),
  ];
  try {
    return { code: await run(args), ...printed };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

const ajv = addFormats(new Ajv({ strict: false })).addSchema(answersSchema(), 'answers');

/** The answer of a verb with `--json`, which is as the schema says. */
export async function answerOf(verb: string, ...args: string[]): Promise<{ code: number; answer: unknown }> {
  const { code, out, err } = await drowse(verb, ...args, '--json');
  if (out === '') throw new Error(err);
  const answer: unknown = JSON.parse(out);
  expect({ verb, problems: problemsOf(verb, answer) }).toEqual({ verb, problems: null });
  return { code, answer };
}

/** What is wrong with an answer by the schema; null if nothing is. */
export function problemsOf(verb: string, answer: unknown): unknown {
  const validate = ajv.getSchema(`answers#/definitions/${verb}`);
  if (!validate) throw new Error(`no schema of ${verb}`);
  void validate(answer);
  return validate.errors;
}

/** An API of a cluster, which answers by route. */
export interface Api {
  /** What was asked: route and body, in order. */
  asked: [route: string, body: string][];
  close: () => Promise<void>;
}

/**
 * Starts one, for which the command then has credentials.
 * @param answers by route, for example `GET /status`; what is not there is answered with 404
 */
export async function startApi(answers: Readonly<Record<string, object>>): Promise<Api> {
  const env = process.env;
  const asked: Api['asked'] = [];
  const server = createServer((request, response) => {
    const route = `${request.method ?? ''} ${request.url ?? ''}`;
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      asked.push([route, body]);
      const answer = answers[route];
      response
        .writeHead(answer ? 200 : 404, { 'content-type': 'application/json' })
        .end(JSON.stringify(answer ?? { error: 'NotFoundError', message: `Route ${route} not found` }));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  process.env = {
    ...env,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    DROWSE_API_URL: `http://127.0.0.1:${String(port)}`,
  };
  return {
    asked,
    close: async () => {
      process.env = env;
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
