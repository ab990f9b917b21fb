import type { Layout } from '../contract';

/** Uncompressed pixels, row by row, 8 bits a channel: red, green, blue, and opacity if there are four. */
export interface Pixels {
  data: Uint8Array<ArrayBuffer> | Uint8ClampedArray<ArrayBuffer>;
  width: number;
  height: number;
  channels: 3 | 4;
}

/** Width and height, in pixels. */
export interface Size {
  width: number;
  height: number;
}

/** A channel's value as AnimeGANv2 wants it: 0 … 255 becomes -1 … 1. */
const NORMALISED = Float32Array.from({ length: 256 }, (_, value) => value / 127.5 - 1);

/**
 * The model's input: colours over white where the picture is transparent, and to the right and below its own mirror
 * image, so that the model sees no edge that isn't there.
 * @param canvas size of the input, at least the picture's
 */
export function toTensor(picture: Pixels, canvas: Size, layout: Layout): Float32Array<ArrayBuffer> {
  const { data, width, height, channels } = picture;
  const columns = mirror(width, canvas.width);
  const rows = mirror(height, canvas.height);
  const plane = canvas.width * canvas.height;
  const [pixelStep, channelStep] = layout === 'nhwc' ? [3, 1] : [1, plane];
  const tensor = new Float32Array(plane * 3);
  let to = 0;
  for (const row of rows) {
    for (const column of columns) {
      const from = (row * width + column) * channels;
      const opacity = channels === 4 ? (data[from + 3] ?? 255) : 255;
      for (let channel = 0; channel < 3; channel += 1) {
        const value = data[from + channel] ?? 0;
        const shown = opacity === 255 ? value : Math.round((value * opacity + 255 * (255 - opacity)) / 255);
        tensor[to + channel * channelStep] = NORMALISED[shown] ?? 0;
      }
      to += pixelStep;
    }
  }
  return tensor;
}

/** The model's output without what `toTensor` added, with the opacity that the picture had. */
export function fromTensor(tensor: Float32Array, canvas: Size, layout: Layout, picture: Pixels): Pixels {
  const { width, height } = picture;
  const transparent = hasTransparency(picture);
  const channels = transparent ? 4 : 3;
  const plane = canvas.width * canvas.height;
  const [pixelStep, channelStep] = layout === 'nhwc' ? [3, 1] : [1, plane];
  // A clamped array rounds, and cuts off what is outside 0 … 255.
  const data = new Uint8ClampedArray(width * height * channels);
  let to = 0;
  for (let row = 0; row < height; row += 1) {
    let from = row * canvas.width * pixelStep;
    for (let column = 0; column < width; column += 1) {
      for (let channel = 0; channel < 3; channel += 1) {
        data[to + channel] = ((tensor[from + channel * channelStep] ?? 0) + 1) * 127.5;
      }
      if (transparent) data[to + 3] = picture.data[(row * width + column) * 4 + 3] ?? 255;
      to += channels;
      from += pixelStep;
    }
  }
  return { data, width, height, channels };
}

/** Size of what the model sees: the model's own if that is fixed, else the picture's, rounded up. */
export function canvasOf(picture: Size, step: number, fixed: Size | undefined): Size {
  if (fixed) return fixed;
  return { width: Math.ceil(picture.width / step) * step, height: Math.ceil(picture.height / step) * step };
}

function hasTransparency({ data, channels }: Pixels): boolean {
  if (channels === 3) return false;
  for (let at = 3; at < data.length; at += 4) if (data[at] !== 255) return true;
  return false;
}

/** For each position up to `to`, the position below `from` that is shown there. */
function mirror(from: number, to: number): Int32Array {
  return Int32Array.from({ length: to }, (_, position) => {
    const within = position % (2 * from);
    return within < from ? within : 2 * from - 1 - within;
  });
}
