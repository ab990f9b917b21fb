import sharp, { type Sharp } from 'sharp';
import { BLUE, bomb, drawn, GREEN, halves, landscape, meanColour, nameOf, RED } from './photos';
import { run, transform, type Running } from './running';

const LEFT = [0, 0.1, 0.4, 0.9] as const;
const RIGHT = [0.6, 0.1, 1, 0.9] as const;
const TOP = [0.1, 0, 0.9, 0.4] as const;
const BOTTOM = [0.1, 0.6, 0.9, 1] as const;

// Machines that run tests are slow at times; what must be quick says so itself.

let server: Running;

beforeAll(async () => {
  server = await run({ layout: 'nhwc' });
});

afterAll(() => server.stop());

async function painted(file: Buffer, name?: string) {
  const answer = await transform(server.base, file, name === undefined ? {} : { name });
  expect({ status: answer.status, problem: answer.problem }).toEqual({ status: 200, problem: {} });
  return { ...answer, info: await sharp(answer.body).metadata() };
}

describe('photos that are painted', () => {
  it('keeps the shape and the place of colours, at most 1024 pixels long', async () => {
    const { headers, body, info } = await painted(await halves(1500, 1000, RED, BLUE).jpeg().toBuffer());
    expect(headers.get('content-type')).toBe('image/jpeg');
    expect([info.width, info.height]).toEqual([1024, 683]);
    expect(nameOf(await meanColour(body, LEFT))).toBe('red');
    expect(nameOf(await meanColour(body, RIGHT))).toBe('blue');
  });

  it('tells how long each step took', async () => {
    const { headers } = await painted(await (await landscape(300, 200)).jpeg().toBuffer());
    const timing = headers.get('server-timing') ?? '';
    for (const step of ['receive', 'read', 'wait', 'inference', 'write', 'total']) {
      expect(Number(new RegExp(`${step};dur=([\\d.]+)`).exec(timing)?.[1])).toBeGreaterThanOrEqual(0);
    }
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('turns a photo upright (EXIF orientation %i)', async (orientation) => {
    // Red on top as it should be seen; stored as a camera that was held differently stores it.
    const upright = drawn(60, 90, (_x, y) => (y < 45 ? RED : BLUE));
    const stored = await toStored(upright, orientation);
    const { body, info } = await painted(await sharp(stored).withMetadata({ orientation }).jpeg().toBuffer());
    expect([info.width, info.height]).toEqual([60, 90]);
    expect(info.orientation ?? 1).toBe(1);
    expect(nameOf(await meanColour(body, TOP))).toBe('red');
    expect(nameOf(await meanColour(body, BOTTOM))).toBe('blue');
  });

  it('keeps what is transparent', async () => {
    const half = drawn(200, 100, (x) => [...GREEN, x < 100 ? 255 : 0], 4);
    const { headers, body, info } = await painted(await half.png().toBuffer(), 'logo.png');
    expect(headers.get('content-type')).toBe('image/png');
    expect(info.hasAlpha).toBe(true);
    const { data } = await sharp(body).extractChannel('alpha').raw().toBuffer({ resolveWithObject: true });
    expect([data[50 * 200 + 20], data[50 * 200 + 180]]).toEqual([255, 0]);
    expect(nameOf(await meanColour(await sharp(body).removeAlpha().toBuffer(), LEFT))).toBe('green');
  });

  it('answers JPEG for an alpha channel in which nothing is transparent', async () => {
    const opaque = drawn(64, 64, () => [...RED, 255], 4);
    const { headers } = await painted(await opaque.png().toBuffer());
    expect(headers.get('content-type')).toBe('image/jpeg');
  });

  it('reads CMYK, grey, 16 bits and palettes', async () => {
    const picture = halves(120, 80, RED, BLUE);
    const cmyk = await picture.clone().toColourspace('cmyk').jpeg().toBuffer();
    expect((await sharp(cmyk).metadata()).space).toBe('cmyk');
    expect(nameOf(await meanColour((await painted(cmyk)).body, LEFT))).toBe('red');
    const grey = await picture.clone().toColourspace('b-w').jpeg().toBuffer();
    expect((await sharp(grey).metadata()).channels).toBe(1);
    expect(nameOf(await meanColour((await painted(grey)).body, LEFT))).toBe('grey');
    const deep = await picture.clone().toColourspace('rgb16').png().toBuffer();
    expect((await sharp(deep).metadata()).depth).toBe('ushort');
    expect(nameOf(await meanColour((await painted(deep)).body, RIGHT))).toBe('blue');
    const palette = await picture.clone().png({ palette: true }).toBuffer();
    expect(nameOf(await meanColour((await painted(palette)).body, RIGHT))).toBe('blue');
  });

  it('paints the first frame of an animation, and says so', async () => {
    const frames = await Promise.all(
      [RED, BLUE].map((colour) =>
        drawn(80, 60, () => colour)
          .png()
          .toBuffer(),
      ),
    );
    const animation = await sharp(frames, { join: { animated: true } })
      .webp({ loop: 0, delay: [100, 100] })
      .toBuffer();
    expect((await sharp(animation).metadata()).pages).toBe(2);
    const { headers, body, info } = await painted(animation, 'loop.webp');
    expect([info.width, info.height]).toEqual([80, 60]);
    expect(nameOf(await meanColour(body, LEFT))).toBe('red');
    expect(headers.get('x-notice')).toMatch(/first frame/);
  });

  it.each([
    [1, 1],
    [3, 700],
    [5000, 2],
  ])('paints a picture of %i × %i', async (width, height) => {
    const { info } = await painted(
      await drawn(width, height, () => GREEN)
        .png()
        .toBuffer(),
    );
    const scale = Math.min(1, 1024 / Math.max(width, height));
    expect([info.width, info.height]).toEqual([
      Math.max(1, Math.round(width * scale)),
      Math.max(1, Math.round(height * scale)),
    ]);
  });

  it('takes what cameras sell as 24 megapixels', async () => {
    const plain = sharp({ create: { width: 5712, height: 4284, channels: 3, background: { r: 30, g: 200, b: 30 } } });
    const { info } = await painted(await plain.jpeg({ quality: 30 }).toBuffer());
    expect([info.width, info.height]).toEqual([1024, 768]);
  });
});

describe('files that are refused', () => {
  it('a decompression bomb, without opening it', async () => {
    const file = await bomb(50_000, 50_000);
    const startedAt = performance.now();
    const { status, problem } = await transform(server.base, file);
    expect(performance.now() - startedAt).toBeLessThan(1000);
    expect([status, problem.error]).toEqual([413, 'TooManyPixels']);
    expect(problem.message).toContain('50000 × 50000');
  });

  it('a photo that is cut off', async () => {
    const jpeg = await (await landscape(800, 600)).jpeg().toBuffer();
    const png = await (await landscape(200, 150)).png().toBuffer();
    const webp = await (await landscape(200, 150)).webp().toBuffer();
    for (const file of [jpeg, png, webp]) {
      const { status, problem } = await transform(server.base, file.subarray(0, file.length / 2));
      expect([status, problem.error]).toEqual([422, 'PhotoDamaged']);
    }
    const { status } = await transform(server.base, jpeg.subarray(0, 30));
    expect(status).toBe(422);
  });

  it('a PNG whose header lies about what follows', async () => {
    const { status, problem } = await transform(server.base, await bomb(4000, 4000));
    expect([status, problem.error]).toEqual([422, 'PhotoDamaged']);
  });

  it.each([
    ['a GIF picture', 'GIF89a\x01\0\x01\0'],
    ['a HEIC picture', '\0\0\0\x18ftypheic\0\0\0\0'],
    ['an AVIF picture', '\0\0\0\x18ftypavif\0\0\0\0'],
    ['a video', '\0\0\0\x18ftypmp42\0\0\0\0'],
    ['a TIFF or raw picture', 'II*\0\x08\0\0\0'],
    ['a PDF document', '%PDF-1.7\n'],
    ['an SVG drawing', '<svg xmlns="http://www.w3.org/2000/svg"/>'],
    ['of another kind', 'MZ'],
  ])('what is %s, whatever it is called', async (kind, start) => {
    const { status, problem } = await transform(server.base, Buffer.from(start, 'latin1'), { name: 'photo.jpg' });
    expect([status, problem.error]).toEqual([415, 'TypeNotSupported']);
    expect(problem.message).toContain(kind);
    expect(problem.remedy).toContain('JPEG, PNG or WebP');
  });

  it('nothing', async () => {
    const { status, problem } = await transform(server.base, Buffer.alloc(0));
    expect([status, problem.error]).toEqual([400, 'PhotoEmpty']);
  });

  it('11 MB, and one byte more than 10 MB', async () => {
    for (const size of [11_000_000, 10 * 1024 * 1024 + 1]) {
      const { status, problem } = await transform(server.base, Buffer.alloc(size, 0xff));
      expect([status, problem.error]).toEqual([413, 'PhotoTooLarge']);
    }
  });

  it('50 MB, without receiving them', async () => {
    const sent = jest.fn();
    const request = fetch(`${server.base}/api/transform`, {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=x', 'content-length': '52428800' },
      body: new ReadableStream({
        pull: (controller) => {
          sent();
          controller.enqueue(new Uint8Array(65_536));
        },
      }),
      duplex: 'half',
    });
    const status = await request.then(
      (response) => response.status,
      () => 'connection closed',
    );
    expect([413, 'connection closed']).toContain(status);
    expect(sent.mock.calls.length * 65_536).toBeLessThan(20_000_000);
  });

  it('a form without a file, and no form at all', async () => {
    const form = new FormData();
    form.append('photo', 'a word');
    const empty = await fetch(`${server.base}/api/transform`, { method: 'POST', body: form });
    expect([empty.status, ((await empty.json()) as { error: string }).error]).toEqual([400, 'PhotoMissing']);
    const raw = await fetch(`${server.base}/api/transform`, {
      method: 'POST',
      headers: { 'content-type': 'image/jpeg' },
      body: 'x',
    });
    expect([raw.status, ((await raw.json()) as { error: string }).error]).toEqual([415, 'NotAnUpload']);
  });
});

/** Undoes what a viewer does for that orientation; the list is EXIF's own. */
async function toStored(upright: Sharp, orientation: number): Promise<Buffer> {
  const png = await upright.png().toBuffer();
  const turns: Record<number, (image: Sharp) => Sharp> = {
    1: (image) => image,
    2: (image) => image.flop(),
    3: (image) => image.rotate(180),
    4: (image) => image.flip(),
    5: (image) => image.rotate(270).flop(),
    6: (image) => image.rotate(270),
    7: (image) => image.rotate(90).flop(),
    8: (image) => image.rotate(90),
  };
  const turn = turns[orientation];
  if (!turn) throw new Error(`There is no orientation ${String(orientation)}`);
  return turn(sharp(png)).png().toBuffer();
}
