import type { RequestContext } from '@aws-lambda-powertools/event-handler/types';
import * as z from 'zod';
import { WAITING_MARK } from '../../core/api/waiting';
import { waitingAnswer } from './answers';
import { html } from './html';

/** How often a browser without script looks again (s). */
const AGAIN = 20;

/** The part of an HTTP API's event that says at which name the API is. */
const called = z.object({ domainName: z.hostname() });

/**
 * `GET /.drowse/waiting`: what CloudFront shows at the app's own address while nobody answers there. It is the same for everybody, tells
 * nothing of the cluster and can do nothing: it leads to the page that wakes it, and opens the app as soon as that answers.
 */
export const getWaiting =
  ({ appUrl }: { appUrl: string }) =>
  ({ event }: Pick<RequestContext, 'event'>): Promise<Response> => {
    const { domainName } = called.parse(event.requestContext);
    const app = appUrl === '' ? 'The app' : new URL(appUrl).host;
    const main = html`<main id="main" data-page="${WAITING_MARK}">
      <section id="state">
        <h1>${app} does not answer</h1>
        <p>It sleeps while nobody needs it, and takes some minutes to wake up.</p>
        <p><a class="big" id="wake" href="https://${domainName}/" rel="noreferrer">To the wake page</a></p>
        <p class="soft">You need a link for that. Whoever runs the app makes you one.</p>
        <p>If you leave this page open, it goes on to where you wanted as soon as the app answers.</p>
      </section>
    </main>`;
    const head = html`<noscript><meta http-equiv="refresh" content="${AGAIN}" /></noscript>`;
    return Promise.resolve(waitingAnswer(`Waiting for ${app}`, main, head));
  };
