import { crc32 } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';

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

/** A lake between mountains in the evening, with a photo's gradients and grain, so that encoders have a photo's work. */
export function landscape(width: number, height: number): Sharp {
  const grain = random(7);
  const ridges = [
    { base: 0.52, rise: 0.2, seed: 1.3, colour: [118, 132, 168] },
    { base: 0.58, rise: 0.16, seed: 4.1, colour: [84, 104, 132] },
    { base: 0.64, rise: 0.1, seed: 7.7, colour: [52, 80, 88] },
  ];
  const shore = 0.68;
  const colourAt = (u: number, v: number): number[] => {
    let colour = mix([58, 112, 190], [252, 206, 150], Math.min(1, v / 0.56) ** 1.4);
    const sun = Math.hypot((u - 0.68) * (width / height), v - 0.4);
    colour = mix(colour, [255, 246, 214], Math.max(0, 1 - sun / 0.07) ** 0.3 * 0.95 + Math.exp(-sun * 7) * 0.5);
    for (const ridge of ridges) {
      if (v > ridge.base - ridge.rise * hill(u, ridge.seed))
        colour = mix(ridge.colour, [238, 200, 168], (v - 0.36) * 0.4);
    }
    return colour;
  };
  return drawn(width, height, (x, y) => {
    const u = x / width;
    const v = y / height;
    let colour = colourAt(u, v);
    if (v > shore) {
      const ripple = Math.sin(y * 0.9 + Math.sin(x * 0.02) * 3) * 0.004 * (1 + (v - shore) * 8);
      colour = mix(colourAt(u + ripple, shore - (v - shore) * 1.15), [30, 74, 96], 0.25 + (v - shore) * 0.9);
    }
    if (v > 0.93 - 0.09 * hill(u * 0.8 + 0.3, 11)) colour = mix([34, 62, 34], [96, 120, 52], grain() * 0.7);
    const noise = (grain() - 0.5) * 14;
    return colour.map((value) => Math.max(0, Math.min(255, Math.round(value + noise))));
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
    left: Math.floor(left * width),
    top: Math.floor(top * height),
    width: Math.max(1, Math.floor((right - left) * width)),
    height: Math.max(1, Math.floor((bottom - top) * height)),
  };
  const { channels } = await sharp(await sharp(file).extract(region).toBuffer()).stats();
  const [red, green, blue] = channels.map(({ mean }) => Math.round(mean));
  return [red ?? 0, green ?? 0, blue ?? 0];
}

/** The plain colour that a mean colour is closest to. */
export function nameOf(colour: Colour): 'red' | 'green' | 'blue' | 'white' | 'grey' {
  const [red, green, blue] = colour;
  if (Math.min(...colour) > 200) return 'white';
  if (Math.max(...colour) - Math.min(...colour) < 40) return 'grey';
  if (red >= green && red >= blue) return 'red';
  return green >= blue ? 'green' : 'blue';
}

function hill(u: number, seed: number): number {
  return (
    0.5 * Math.abs(Math.sin(u * 5.1 + seed)) +
    0.3 * Math.abs(Math.sin(u * 11.7 + seed * 2.3)) +
    0.14 * Math.abs(Math.sin(u * 29 + seed * 3.1)) +
    0.06 * Math.abs(Math.sin(u * 83 + seed))
  );
}

function mix(from: readonly number[], to: readonly number[], share: number): number[] {
  const part = Math.max(0, Math.min(1, share));
  return from.map((value, index) => value + ((to[index] ?? value) - value) * part);
}

/** Numbers that look random and are the same in each run (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296;
  };
}
