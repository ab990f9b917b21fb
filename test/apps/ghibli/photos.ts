import { crc32 } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';

// Looked up once: in a jest context each look-up of a global costs a microsecond, and pictures have many pixels.
const { abs, ceil, exp, floor, hypot, imul, max, min, round, sin } = Math;

/** A colour's red, green and blue. */
export type Colour = readonly [number, number, number];

/** Plain colours that a painting keeps well enough to be told apart. */
export const RED: Colour = [220, 30, 30];
export const GREEN: Colour = [30, 200, 30];
export const BLUE: Colour = [30, 30, 220];

/** A picture whose pixels come from a function of position. */
export function drawn(
  width: number,
  height: number,
  pixel: (x: number, y: number) => readonly number[],
  channels: 3 | 4 = 3,
): Sharp {
  const data = Buffer.alloc(width * height * channels);
  let at = 0;
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      for (const value of pixel(x, y)) data[at++] = value;
    }
  }
  return sharp(data, { raw: { width, height, channels } });
}

/** Left half of one colour, right half of another. */
export function halves(width: number, height: number, left: Colour, right: Colour): Sharp {
  return drawn(width, height, (x) => (x < width / 2 ? left : right));
}

/** Longest side at which the landscape is drawn; its details are no finer. */
const DRAWN_SIDE = 800;

/** A lake between mountains in the evening, with a photo's gradients and grain, so that encoders have a photo's work. */
export async function landscape(width: number, height: number): Promise<Sharp> {
  const scale = min(1, DRAWN_SIDE / max(width, height));
  const plain = await drawLandscape(ceil(width * scale), ceil(height * scale))
    .png()
    .toBuffer();
  const noise = { type: 'gaussian' as const, mean: 128, sigma: 9 };
  const grain = await sharp({ create: { width, height, channels: 3, background: 'grey', noise } })
    .png({ compressionLevel: 0 })
    .toBuffer();
  return sharp(plain)
    .resize(width, height, { fit: 'fill' })
    .composite([{ input: grain, blend: 'soft-light' }])
    .removeAlpha();
}

function drawLandscape(width: number, height: number): Sharp {
  const ridges = [
    { base: 0.52, rise: 0.2, seed: 1.3, colour: [118, 132, 168] },
    { base: 0.58, rise: 0.16, seed: 4.1, colour: [84, 104, 132] },
    { base: 0.64, rise: 0.1, seed: 7.7, colour: [52, 80, 88] },
  ];
  const shore = 0.68;
  const colourAt = (u: number, v: number): number[] => {
    let colour = mix([58, 112, 190], [252, 206, 150], min(1, v / 0.56) ** 1.4);
    const sun = hypot((u - 0.42) * (width / height), v - 0.22);
    colour = mix(colour, [255, 246, 214], max(0, 1 - sun / 0.07) ** 0.3 * 0.95 + exp(-sun * 7) * 0.5);
    for (const ridge of ridges) {
      if (v > ridge.base - ridge.rise * hill(u, ridge.seed))
        colour = mix(ridge.colour, [238, 200, 168], (v - 0.36) * 0.4);
    }
    return colour;
  };
  const blades = random(7);
  return drawn(width, height, (x, y) => {
    const u = x / width;
    const v = y / height;
    let colour = colourAt(u, v);
    if (v > shore) {
      const ripple = sin(v * 900 + sin(u * 20) * 3) * 0.004 * (1 + (v - shore) * 8);
      colour = mix(colourAt(u + ripple, shore - (v - shore) * 1.15), [30, 74, 96], 0.25 + (v - shore) * 0.9);
    }
    if (v > 0.93 - 0.09 * hill(u * 0.8 + 0.3, 11)) colour = mix([34, 62, 34], [96, 120, 52], blades() * 0.7);
    return colour.map(round);
  });
}

/** A PNG whose header announces a size that its few bytes don't hold: a decompression bomb, as far as a header tells. */
export async function bomb(width: number, height: number): Promise<Buffer> {
  const png = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'white' } })
    .png()
    .toBuffer();
  png.writeUInt32BE(width, 16);
  png.writeUInt32BE(height, 20);
  png.writeUInt32BE(crc32(png.subarray(12, 29)), 29);
  return png;
}

/** Mean colour of a part of a picture; the part is given in shares of width and height. */
export async function meanColour(
  file: Buffer,
  [left, top, right, bottom]: readonly [number, number, number, number],
): Promise<Colour> {
  const { width, height } = await sharp(file).metadata();
  const region = {
    left: floor(left * width),
    top: floor(top * height),
    width: max(1, floor((right - left) * width)),
    height: max(1, floor((bottom - top) * height)),
  };
  const { channels } = await sharp(await sharp(file).extract(region).toBuffer()).stats();
  const [red, green, blue] = channels.map(({ mean }) => round(mean));
  return [red ?? 0, green ?? 0, blue ?? 0];
}

/** The plain colour that a mean colour is closest to. */
export function nameOf(colour: Colour): 'red' | 'green' | 'blue' | 'white' | 'grey' {
  const [red, green, blue] = colour;
  if (min(...colour) > 200) return 'white';
  if (max(...colour) - min(...colour) < 40) return 'grey';
  if (red >= green && red >= blue) return 'red';
  return green >= blue ? 'green' : 'blue';
}

function hill(u: number, seed: number): number {
  return (
    0.5 * abs(sin(u * 5.1 + seed)) +
    0.3 * abs(sin(u * 11.7 + seed * 2.3)) +
    0.14 * abs(sin(u * 29 + seed * 3.1)) +
    0.06 * abs(sin(u * 83 + seed))
  );
}

function mix(from: readonly number[], to: readonly number[], share: number): number[] {
  const part = max(0, min(1, share));
  return from.map((value, index) => value + ((to[index] ?? value) - value) * part);
}

/** Numbers that look random and are the same in each run (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = imul(state ^ (state >>> 15), 1 | state);
    value = (value + imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296;
  };
}
