import { MAX_PHOTO_BYTES, MAX_PIXELS } from '../limits';

/** Long side of a photo that was made smaller, in pixels: twice that of a painting. */
const LONG_SIDE = 2048;
const JPEG_QUALITY = 0.92;

/** A photo as it is sent. */
export interface Sendable {
  blob: Blob;
  /** True if it was made smaller. */
  smaller: boolean;
}

/** Makes a photo that is over the limits smaller, here in the browser; undefined if the browser can't read it. */
export async function fit(file: File): Promise<Sendable | undefined> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    // The server's words on a damaged file are better than ours.
    return file.size <= MAX_PHOTO_BYTES ? { blob: file, smaller: false } : undefined;
  }
  try {
    if (file.size <= MAX_PHOTO_BYTES && bitmap.width * bitmap.height <= MAX_PIXELS)
      return { blob: file, smaller: false };
    const scale = Math.min(1, LONG_SIDE / Math.max(bitmap.width, bitmap.height));
    const canvas = document.createElement('canvas');
    canvas.width = Math.max(1, Math.round(bitmap.width * scale));
    canvas.height = Math.max(1, Math.round(bitmap.height * scale));
    canvas.getContext('2d')?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    const type = file.type === 'image/jpeg' ? 'image/jpeg' : 'image/png';
    const blob = await new Promise<Blob | null>((resolve) => {
      canvas.toBlob(resolve, type, JPEG_QUALITY);
    });
    return blob && blob.size <= MAX_PHOTO_BYTES ? { blob, smaller: true } : undefined;
  } finally {
    bitmap.close();
  }
}
