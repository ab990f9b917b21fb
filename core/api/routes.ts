import * as z from 'zod';
import {
  certificateBody,
  keepAwakeBody,
  linkKeepAwakeBody,
  newLinkBody,
  sessionBody,
  skipBody,
  startBody,
} from './bodies';
import * as answers from './answers';
import { linkStatusAnswer } from './link-answer';

/** One route of the HTTP API, as its document has it. */
export interface RouteDocument {
  summary: string;
  /** `iam`: signed with AWS credentials; `link`: by a signed link, in header or cookie; `none`: anybody. */
  security: 'iam' | 'link' | 'none';
  body?: { schema: z.ZodType; required: boolean };
  /** By status code. Every route may refuse as well: 400 for what it cannot read, 401, 500. */
  /** Without a schema the answer is the page itself. */
  answers: Readonly<Record<number, { description: string; schema?: z.ZodType }>>;
}

export type RouteKey = `${'GET' | 'PUT' | 'POST' | 'DELETE'} /${string}`;

const ok = (description: string, schema: z.ZodType) => ({ 200: { description, schema } });
const start = (description: string) => ({
  200: { description: `${description} already`, schema: answers.startAnswer },
  202: { description: `${description} soon: the execution is under way`, schema: answers.startAnswer },
});

/** What the page's forms end with where no script runs. */
const back = { 303: { description: 'Back to the page: what a form without script gets' } };
/** A change under a right of a link. The page sends its token along, scripts need none. */
const byLink = <Rest extends Omit<RouteDocument, 'security'>>({ answers: told, ...rest }: Rest) => ({
  ...rest,
  security: 'link' as const,
  answers: { ...told, ...back },
});

/** Every route of the HTTP API. The stack makes exactly these, and `GET /openapi.json` tells of them. */
export const ROUTES = {
  'GET /status': {
    summary: 'How the cluster is, what it does, what comes next',
    security: 'iam',
    answers: ok('The status', answers.statusAnswer),
  },
  'GET /runs': {
    summary: 'The last runs, newest first: what, when, who asked and why, how it went',
    security: 'iam',
    answers: ok('Runs of this month and the one before', answers.runsAnswer),
  },
  'GET /schedule': {
    summary: 'What the schedules do in the next two weeks, and what people have asked for beside them',
    security: 'iam',
    answers: ok('The schedule', answers.scheduleAnswer),
  },
  'GET /cost': {
    summary: 'What the cluster costs by the hour, this month so far, and what sleeping has saved',
    security: 'iam',
    answers: ok('The cost, at list prices', answers.costAnswer),
  },
  'POST /wake': {
    summary: 'Wakes the cluster',
    security: 'iam',
    body: { schema: startBody, required: false },
    answers: start('It is awake'),
  },
  'POST /sleep': {
    summary: 'Puts the cluster to sleep',
    security: 'iam',
    body: { schema: startBody, required: false },
    answers: start('It is asleep'),
  },
  'PUT /keep-awake': {
    summary: 'Lets nothing but a person put it to sleep before a time',
    security: 'iam',
    body: { schema: keepAwakeBody, required: true },
    answers: ok('It is kept awake', answers.keepAwakeAnswer),
  },
  'DELETE /keep-awake': {
    summary: 'Lets it sleep again',
    security: 'iam',
    answers: ok('There is no keep-awake any more', answers.doneAnswer),
  },
  'PUT /skip-next': {
    summary: 'Leaves out the next sleep or wake of the schedules, once',
    security: 'iam',
    body: { schema: skipBody, required: true },
    answers: {
      ...ok('It is left out', answers.skipAnswer),
      409: { description: 'There is none in the next 31 days', schema: answers.problem },
    },
  },
  'DELETE /skip-next': {
    summary: 'Leaves nothing out',
    security: 'iam',
    answers: ok('Nothing is left out', answers.doneAnswer),
  },
  'POST /postpone-sleep': {
    summary: 'Puts an announced sleep for lack of use off',
    security: 'iam',
    answers: {
      ...ok('It is put off', answers.postponeAnswer),
      409: { description: 'Nothing puts this cluster to sleep for lack of use', schema: answers.problem },
    },
  },
  'GET /links': {
    summary: 'The links to the page, without their secrets',
    security: 'iam',
    answers: ok('Links that hold, and those that ended in the last month', answers.linksAnswer),
  },
  'POST /links': {
    summary: 'Makes a link to the page for a person or a machine without AWS credentials',
    security: 'iam',
    body: { schema: newLinkBody, required: true },
    answers: {
      201: { description: 'The link, with its secret', schema: answers.newLinkAnswer },
      409: { description: 'There are too many', schema: answers.problem },
    },
  },
  'DELETE /links/{id}': {
    summary: 'Revokes a link, or every one with the ID all',
    security: 'iam',
    answers: {
      ...ok('It is revoked', answers.doneAnswer),
      404: { description: 'There is none of that ID', schema: answers.problem },
    },
  },
  'POST /certificates': {
    summary: 'Signs a certificate by which the caller, and nobody else, reaches the Kubernetes API for some hours',
    security: 'iam',
    body: { schema: certificateBody, required: true },
    answers: {
      ...ok('The certificate', answers.certificateAnswer),
      202: { description: 'A seat signs it: ask again with the same request', schema: answers.certificateUnderWay },
      403: { description: 'The caller is not in `access:` of the configuration', schema: answers.problem },
      404: { description: 'The configuration has no `access:`', schema: answers.problem },
      409: { description: 'No seat can sign now, or the caller’s name is too long', schema: answers.problem },
      502: { description: 'The seat refused the request', schema: answers.problem },
    },
  },
  'GET /': {
    summary: 'The page: how the cluster is, and the button that wakes it',
    security: 'none',
    answers: { 200: { description: 'The page; without a link, the question for one' } },
  },
  'GET /.drowse/waiting': {
    summary: 'What visitors of the app’s own address see while nobody answers there (app.waitingPage)',
    security: 'none',
    answers: { 200: { description: 'The waiting page, the same for everybody' } },
  },
  'POST /link/session': {
    summary: 'Exchanges a link’s secret for the cookie of the page',
    security: 'none',
    body: { schema: sessionBody, required: true },
    answers: { ...ok('The cookie', answers.doneAnswer), ...back },
  },
  'POST /link/leave': {
    summary: 'Forgets the cookie',
    security: 'none',
    answers: { ...ok('It is forgotten', answers.doneAnswer), ...back },
  },
  'GET /link/view': {
    summary: 'What the page shows, as HTML for its script',
    security: 'link',
    answers: { 200: { description: 'The page' } },
  },
  'GET /link/status': {
    summary: 'What the page shows, as JSON',
    security: 'link',
    answers: ok('All that a link may see', linkStatusAnswer),
  },
  'GET /link/wait': {
    summary: 'Waits up to 25 seconds (?seconds=) until it is awake (?for=asleep: asleep)',
    security: 'link',
    answers: {
      ...ok('It is there', answers.startAnswer),
      202: { description: 'Not yet: ask again', schema: answers.startAnswer },
      409: { description: 'It failed, and will not come by itself', schema: answers.problem },
    },
  },
  'POST /link/wake': byLink({
    summary: 'Wakes the cluster',
    body: { schema: startBody, required: false },
    answers: start('It is awake'),
  }),
  'POST /link/sleep': byLink({
    summary: 'Puts the cluster to sleep',
    body: { schema: startBody, required: false },
    answers: start('It is asleep'),
  }),
  'POST /link/keep-awake': byLink({
    summary: 'Lets nothing but a person put it to sleep for some hours, or before a time',
    body: { schema: linkKeepAwakeBody, required: true },
    answers: ok('It is kept awake', answers.keepAwakeAnswer),
  }),
  'POST /link/end-keep-awake': byLink({
    summary: 'Lets it sleep again',
    answers: ok('There is no keep-awake any more', answers.doneAnswer),
  }),
  'POST /link/skip-next': byLink({
    summary: 'Leaves out the next sleep (right keep-awake) or wake (right sleep) of the schedules, once',
    body: { schema: skipBody, required: true },
    answers: {
      ...ok('It is left out', answers.skipAnswer),
      409: { description: 'There is none in the next 31 days', schema: answers.problem },
    },
  }),
  'POST /link/unskip': byLink({
    summary: 'Leaves nothing out; takes the rights keep-awake and sleep',
    answers: ok('Nothing is left out', answers.doneAnswer),
  }),
  'POST /link/postpone-sleep': byLink({
    summary: 'Puts an announced sleep for lack of use off',
    answers: {
      ...ok('It is put off', answers.postponeAnswer),
      409: { description: 'Nothing puts this cluster to sleep for lack of use', schema: answers.problem },
    },
  }),
  'GET /openapi.json': {
    summary: 'This document',
    security: 'iam',
    answers: ok('OpenAPI 3.1', z.looseObject({ openapi: z.string() })),
  },
} as const satisfies Readonly<Record<RouteKey, RouteDocument>>;

export type Route = keyof typeof ROUTES;
