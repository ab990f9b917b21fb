/** What the page and the server both hold a photo against. */

/** Largest upload, in bytes (10 MiB). */
export const MAX_PHOTO_BYTES = 10 * 1024 * 1024;

/**
 * Most pixels of a photo. Sold as "24 megapixels", cameras give up to 24.47 million (5712 × 4284, 6048 × 4024), and
 * those must pass.
 */
export const MAX_PIXELS = 24_500_000;

/** Media types that are painted. */
export const PHOTO_TYPES = ['image/jpeg', 'image/png', 'image/webp'] as const;

/** The limits in words. */
export const LIMITS_IN_WORDS = 'JPEG, PNG or WebP · up to 10 MB · up to 24 megapixels';
