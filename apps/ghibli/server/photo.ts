import sharp from 'sharp';
import { MAX_PIXELS } from '../limits';
import type { Pixels, Size } from './pixels';
import { PhotoDamaged, TooManyPixels, TypeNotSupported } from './problems';

// Pictures come in over the network: only the readers of the three kinds that we take are left to run.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({ operation: ['VipsForeignLoadJpegBuffer', 'VipsForeignLoadPngBuffer', 'VipsForeignLoadWebpBuffer'] });
// No two photos are alike, so a cache only holds memory.
sharp.cache(false);

/** A picture that takes longer than this to read was made to. */
const READ_SECONDS = 20;

/** What a photo's first bytes tell. */
export interface Photo {
  file: Buffer;
  /** Size as it is shown, turned as its EXIF data says. */
  size: Size;
  animated: boolean;
}

/** An encoded picture. */
export interface Encoded {
  data: Buffer;
  type: 'image/jpeg' | 'image/png';
}

/**
 * Reads a photo's header, not its pixels: a decompression bomb costs nothing.
 * @throws TypeNotSupported, TooManyPixels, PhotoDamaged
 */
export async function inspect(file: Buffer): Promise<Photo> {
  const kind = kindOf(file);
  if (!isTaken(kind)) throw new TypeNotSupported(kind);
  const found = await sharp(file, { limitInputPixels: false })
    .metadata()
    .catch((error: unknown) => {
      throw new PhotoDamaged(error);
    });
  if (found.width * found.height > MAX_PIXELS) throw new TooManyPixels(found.width, found.height);
  return { file, size: found.autoOrient, animated: (found.pages ?? 1) > 1 };
}

/**
 * Decodes a photo (the first frame of an animation) at a size that the model takes: upright, in sRGB.
 * @throws PhotoDamaged
 */
export async function decode({ file }: Photo, size: Size): Promise<Pixels> {
  try {
    const { data, info } = await sharp(file, {
      limitInputPixels: MAX_PIXELS,
      failOn: 'truncated',
      sequentialRead: true,
    })
      .timeout({ seconds: READ_SECONDS })
      .autoOrient()
      .resize({ ...size, fit: 'fill' })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== 3 && info.channels !== 4) throw new Error(`${String(info.channels)} channels`);
    // A copy in memory of its own, which can be handed to the painting thread.
    return { data: Uint8Array.from(data), width: info.width, height: info.height, channels: info.channels };
  } catch (error) {
    throw new PhotoDamaged(error);
  }
}

/** A painting as a file: JPEG, or PNG if parts of it are transparent. */
export async function encode({ data, width, height, channels }: Pixels): Promise<Encoded> {
  const image = sharp(Buffer.from(data.buffer), { raw: { width, height, channels } });
  if (channels === 4) return { data: await image.png({ compressionLevel: 6 }).toBuffer(), type: 'image/png' };
  return {
    data: await image.jpeg({ quality: 92, chromaSubsampling: '4:4:4' }).toBuffer(),
    type: 'image/jpeg',
  };
}

/** Size of a painting: the photo's shape, no larger than it, and no larger than the model is given. */
export function paintingSize(photo: Size, maxSide: number, fixed: Size | undefined): Size {
  const box = fixed ?? { width: maxSide, height: maxSide };
  const scale = Math.min(1, box.width / photo.width, box.height / photo.height);
  return {
    width: Math.max(1, Math.round(photo.width * scale)),
    height: Math.max(1, Math.round(photo.height * scale)),
  };
}

const TAKEN = ['a JPEG picture', 'a PNG picture', 'a WebP picture'];

function isTaken(kind: string): boolean {
  return TAKEN.includes(kind);
}

/** What the first bytes say that a file is, in words; from the formats' own descriptions. */
function kindOf(file: Buffer): string {
  const text = (from: number, to: number) => file.toString('latin1', from, to);
  if (file.subarray(0, 3).equals(Buffer.from([0xff, 0xd8, 0xff]))) return 'a JPEG picture';
  if (text(0, 8) === '\x89PNG\r\n\x1a\n') return 'a PNG picture';
  if (text(0, 4) === 'RIFF' && text(8, 12) === 'WEBP') return 'a WebP picture';
  if (text(0, 4) === 'GIF8') return 'a GIF picture';
  if (text(4, 8) === 'ftyp') {
    const brand = text(8, 12);
    if (/^(hei|hev|mif1|msf1)/.test(brand)) return 'a HEIC picture';
    if (/^avi[fs]/.test(brand)) return 'an AVIF picture';
    return 'a video';
  }
  if (/^(II\*\0|MM\0\*)/.test(text(0, 4))) return 'a TIFF or raw picture';
  if (file.subarray(0, 4).equals(Buffer.from('%PDF'))) return 'a PDF document';
  if (/^\s*(<\?xml|<svg)/i.test(text(0, 200))) return 'an SVG drawing';
  return 'of another kind';
}
