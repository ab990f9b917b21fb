import * as z from 'zod';
import { linkName, LONGEST_DAYS, right } from '../links/link';
import { reason } from '../record/contracts';

/** What requests to the HTTP API may carry. */

/** Of what starts a workflow. */
export const startBody = z.object({
  reason: reason.describe('Why, in a few words: it is kept with the run, and told'),
});

/** Of `PUT /keep-awake`. */
export const keepAwakeBody = z.object({
  until: z.string().describe('ISO 8601 time, at most 31 days ahead; without an offset, local time of the schedules'),
});

/** Of `PUT /skip-next`. */
export const skipBody = z.object({ workflow: z.enum(['sleep', 'wake']) });

/** Of `POST /links`. */
export const newLinkBody = z.object({
  name: linkName.describe('Whom it is for'),
  rights: z.array(right).default(['look', 'wake']).describe('What it may do; look is in every link'),
  days: z.int().min(1).max(LONGEST_DAYS).default(30).describe('How long it is valid'),
});

/** Of `POST /certificates`. */
export const certificateBody = z.object({
  request: z
    .string()
    .regex(/^[A-Za-z0-9+/]{100,1000}={0,2}$/, 'use a certificate request (PKCS #10) as DER in base64')
    .describe('Certificate request (PKCS #10, DER, base64) of a P-256 key; of it only the public key is used'),
});

/** Of `POST /link/session`. */
export const sessionBody = z.object({ secret: z.string().describe('What stands in the link after the #') });

/** Of `POST /link/keep-awake`. */
export const linkKeepAwakeBody = z.object({
  until: z.string().optional().describe('ISO 8601 time, at most 31 days ahead'),
  hours: z.union([z.number(), z.string()]).optional().describe('From now on, instead of a time'),
});
