import * as z from 'zod';

/** What a signed link may do. `look` is in every link. */
export const RIGHTS = ['look', 'wake', 'keep-awake', 'sleep'] as const;
export const right = z.enum(RIGHTS);
export type Right = z.infer<typeof right>;

/** The rights as people read them. */
export const RIGHTS_IN_WORDS: Readonly<Record<Right, string>> = {
  look: 'look',
  wake: 'wake the cluster',
  'keep-awake': 'keep it awake and leave out its next sleep',
  sleep: 'put it to sleep and leave out its next wake',
};

/** Name of the person whom a link is for: it is shown on the page and kept with what the link does. */
export const linkName = z
  .string()
  .trim()
  .regex(/^[\p{L}\p{N}][\p{L}\p{N} ._@-]{0,39}$/u, 'use up to 40 letters, digits, spaces and . _ @ -');

/** Longer than that it would be forgotten rather than wanted (days). */
export const LONGEST_DAYS = 366;

/** A link, as the table keeps it. Its secret is kept nowhere. */
export const linkRecord = z.object({
  name: z.string(),
  rights: z.array(right),
  /** UTC ISO times. */
  expiresAt: z.string(),
  createdAt: z.string(),
  createdBy: z.string(),
  revokedAt: z.string().optional(),
  revokedBy: z.string().optional(),
});
export type LinkRecord = z.infer<typeof linkRecord>;

/** A link, as a request showed it. */
export interface Link {
  id: string;
  name: string;
  rights: readonly Right[];
  /** UTC ISO time. */
  expiresAt: string;
}
