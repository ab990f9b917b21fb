import { createHash } from 'node:crypto';
import assets from './assets.json';
import { document } from './page';
import type { Html } from './html';

/** A source of a Content-Security-Policy that allows exactly this text. */
const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
const STYLE_HASH = hashOf(assets.style);
const SCRIPT_HASH = hashOf(assets.script);
const WAITING_HASH = hashOf(assets.waiting);

/** A page may run its own script and style, ask whom it has to, and nothing else. */
function policyOf(scriptHash: string, connect: string, forms: string): string {
  return [
    "default-src 'none'",
    `script-src ${scriptHash}`,
    `style-src ${STYLE_HASH}`,
    `connect-src ${connect}`,
    'img-src data:',
    `form-action ${forms}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/** What holds of every page, whoever sees it. */
const PLAIN = {
  'content-type': 'text/html; charset=utf-8',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

/** The page, with headers that let it do what it needs and nothing else. */
export function htmlAnswer(
  appUrl: string,
  { status = 200, title, main, cookie }: { status?: number; title: string; main: Html; cookie?: string | undefined },
): Response {
  return new Response(document(assets, title, main), {
    status,
    headers: {
      ...PLAIN,
      'content-security-policy': policyOf(
        SCRIPT_HASH,
        `'self'${appUrl === '' ? '' : ` ${new URL(appUrl).origin}`}`,
        "'self'",
      ),
      'cache-control': 'no-store',
      'strict-transport-security': 'max-age=31536000',
      'cross-origin-opener-policy': 'same-origin',
      'permissions-policy': 'camera=(), geolocation=(), microphone=()',
      ...(cookie !== undefined && { 'set-cookie': cookie }),
    },
  });
}

/**
 * The page that stands in for the app, at the app's own address: it sets nothing there that would outlive it. CloudFront may keep it for
 * some minutes, a browser never.
 */
export function waitingAnswer(title: string, main: Html, head: Html): Response {
  const { style, waiting: script } = assets;
  return new Response(document({ style, script }, title, main, head), {
    headers: {
      ...PLAIN,
      'content-security-policy': policyOf(WAITING_HASH, "'self'", "'none'"),
      'cache-control': 'public, max-age=0, s-maxage=300, must-revalidate',
    },
  });
}

/** Back to the page, from one of its forms; where the reader wanted to go in the app is kept. */
export function backToPage(req: Request, problem?: string, cookie?: string): Response {
  const query = new URLSearchParams();
  const to = new URL(req.url).searchParams.get('to');
  if (to !== null) query.set('to', to);
  if (problem !== undefined) query.set('problem', problem);
  const location = query.size === 0 ? '../' : `../?${query.toString()}`;
  return new Response('', {
    status: 303,
    headers: { location, 'cache-control': 'no-store', ...(cookie !== undefined && { 'set-cookie': cookie }) },
  });
}

/** True for a browser without script that sends a form; scripts say what they want, as the page's own does. */
export function isForm(req: Request): boolean {
  const accept = req.headers.get('accept') ?? '';
  return req.method === 'POST' && accept.includes('text/html') && !isScript(req);
}

/** True for the page's own script, which wants the page's HTML. */
export function isScript(req: Request): boolean {
  return req.headers.get('accept') === 'text/html';
}
