import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DataOf } from '../../../client/data/classification-data.ts';
import { decodeImage } from '../../../client/data/decode-image.ts';
import { resizeByArea, withChannels } from '../../../client/data/fit-image.ts';
import { openImages } from '../../../client/data/image-source.ts';
import { jpg, png, taskData } from './records.ts';
import { makeFolder } from './temporary-folder.ts';

const task = { format: 'images', inputShape: [4, 4, 3], classes: ['cat', 'dog'] };
const openIn = (folder: string, changes: Readonly<Record<string, unknown>> = {}) =>
  openImages([folder], taskData({ ...task, ...changes }) as DataOf<'images'>);
const open = async (files: Record<string, string | Uint8Array>, changes = {}) =>
  openIn(await makeFolder(files), changes);

/** A PNG of one chunk each, as its specification (ISO 15948) lays it out; rows as they are before filtering. */
function rawPng(
  width: number,
  height: number,
  depth: number,
  colour: number,
  rows: number[][],
  extra: [string, number[]][] = [],
) {
  const chunk = (name: string, data: Uint8Array): Buffer => {
    const body = Buffer.concat([Buffer.from(name), data]);
    const frame = Buffer.alloc(8);
    frame.writeUInt32BE(data.length, 0);
    frame.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, colour, 0, 0, 0], 8);
  return Buffer.concat([
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk('IHDR', header),
    ...extra.map(([name, data]) => chunk(name, Uint8Array.from(data))),
    chunk('IDAT', deflateSync(Uint8Array.from(rows.flatMap((row) => [0, ...row])))),
    chunk('IEND', new Uint8Array()),
  ]);
}

describe('openImages', () => {
  it('takes sub-folders as classes, by name, and PNG and JPEG by content', async () => {
    const source = await open({
      'dog/b.png': png(4, 4, [200, 10, 20]),
      'dog/deep/a.jpeg': jpg(4, 4, [100, 100, 100]),
      'cat/z.PNG': png(4, 4, [7, 7, 7]),
      'cat/notes.txt': 'left out',
    });
    expect([...source.labels]).toEqual([0, 1, 1]);
    const into = new Float32Array(48);
    source.readInput(1, into, 0);
    expect([...into.slice(0, 6)]).toEqual([200, 10, 20, 200, 10, 20]);
    source.readInput(2, into, 0);
    for (const value of into) expect(Math.abs(value - 100)).toBeLessThan(3);
    expect(source.locate(0)).toMatch(/cat.z\.PNG$/);
    expect(Buffer.from(source.readRaw(0))).toEqual(Buffer.from(png(4, 4, [7, 7, 7])));
    source.close();
  });

  it('takes folders of numbers where classes have no names, an empty one too', async () => {
    const folder = await makeFolder({ '0/a.png': png(4, 4, [1, 2, 3]), '2/.keep': '' });
    expect([...(await openIn(folder, { classes: 3 })).labels]).toEqual([0]);
  });

  it('resizes to the shape of the manifest where it says so, and only then', async () => {
    const files = { 'cat/a.png': png(9, 5, [9, 90, 250]) };
    await expect(open(files)).rejects.toMatchObject({
      code: 'data/bad-image',
      message: expect.stringContaining('9 x 5 pixels, the manifest wants 4 x 4'),
    });
    const source = await open(files, { resize: 'area', inputShape: [4, 4, 1] });
    const into = new Float32Array(16);
    source.readInput(0, into, 0);
    for (const value of into) expect(value).toBeCloseTo((299 * 9 + 587 * 90 + 114 * 250) / 1000, 3);
  });

  const cmyk = Buffer.from(jpg(4, 4, [1, 2, 3]));
  const frameAt = cmyk.indexOf(Uint8Array.of(0xff, 0xc0));
  cmyk[frameAt + 9] = 4;
  const deepJpeg = Buffer.from(jpg(4, 4, [1, 2, 3]));
  deepJpeg[frameAt + 4] = 12;
  it.each([
    ['a file that is something else', { 'cat/a.png': 'GIF89a' }, 'data/bad-image', 'neither a PNG nor a JPEG'],
    ['a CMYK image', { 'cat/a.jpg': cmyk }, 'data/bad-image', 'CMYK'],
    ['an image of 12 bits', { 'cat/a.jpg': deepJpeg }, 'data/bad-image', '12 bits'],
    ['a PNG without a header', { 'cat/a.png': png(4, 4, [1]).slice(0, 20) }, 'data/bad-image', 'cut off'],
    ['a JPEG without a frame', { 'cat/a.jpg': jpg(4, 4, [1, 2, 3]).slice(0, 40) }, 'data/bad-image', 'cut off'],
    [
      'an image that would fill all memory',
      { 'cat/a.png': rawPng(60_000, 60_000, 8, 0, [[1]]) },
      'data/bad-image',
      '60000 x 60000',
    ],
    ['a folder that is no class', { 'cow/a.png': png(4, 4, [1]) }, 'data/bad-label', '"cow"'],
    ['no images at all', { 'cat/a.txt': '' }, 'data/no-records', 'no images'],
  ])('names the file and the remedy of %s', async (_, files, code, told) => {
    await expect(open(files as Record<string, Uint8Array>)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(told),
    });
  });

  it('names an image that is damaged inside when it is read, and one that went', async () => {
    const whole = png(4, 4, [1, 2, 3]);
    const damaged = whole.slice();
    damaged[whole.length - 20] = (damaged[whole.length - 20] ?? 0) ^ 0xff;
    const noisy = jpg(32, 32, [1, 200, 3]);
    const folder = await makeFolder({
      'cat/a.png': damaged,
      'cat/b.jpg': noisy.slice(0, Math.floor(noisy.length * 0.8)),
      'cat/c.png': whole,
    });
    const source = await openIn(folder, { resize: 'area' });
    const into = new Float32Array(48);
    for (const record of [0, 1]) {
      expect(() => source.readInput(record, into, 0)).toThrow(expect.objectContaining({ code: 'data/bad-image' }));
    }
    await rm(join(folder, 'cat', 'c.png'));
    expect(() => source.readInput(2, into, 0)).toThrow(expect.objectContaining({ code: 'data/changed' }));
  });
});

describe('decodeImage', () => {
  const values = (bytes: Uint8Array): number[] => [...decodeImage(bytes, 'test').values];

  it('reads every depth of gray', () => {
    expect(values(rawPng(3, 2, 1, 0, [[0b10100000], [0b01000000]]))).toEqual([255, 0, 255, 0, 255, 0]);
    expect(values(rawPng(3, 1, 2, 0, [[0b00011000]]))).toEqual([0, 85, 170]);
    expect(values(rawPng(2, 1, 4, 0, [[0x0f]]))).toEqual([0, 255]);
    expect(values(png(1, 1, [65_535], 16))).toEqual([255]);
    expect(values(png(1, 1, [0x8000], 16))[0]).toBeCloseTo(127.502, 3);
  });

  it('reads palettes, and lays what is transparent on white', () => {
    const palette: [string, number[]] = ['PLTE', [10, 20, 30, 40, 50, 60]];
    expect(values(rawPng(2, 1, 8, 3, [[1, 0]], [palette]))).toEqual([40, 50, 60, 10, 20, 30]);
    expect(values(rawPng(2, 1, 4, 3, [[0x10]], [palette]))).toEqual([40, 50, 60, 10, 20, 30]);
    expect(values(rawPng(2, 1, 8, 3, [[1, 0]], [palette, ['tRNS', [0]]]))).toEqual([40, 50, 60, 255, 255, 255]);
    expect(values(png(1, 1, [0, 100, 200, 0]))).toEqual([255, 255, 255]);
    expect(values(png(1, 1, [0, 51]))[0]).toBeCloseTo(204, 4);
    expect(values(rawPng(2, 1, 8, 0, [[7, 9]], [['tRNS', [0, 7]]]))).toEqual([255, 9]);
    expect(() => values(rawPng(1, 1, 8, 3, [[5]], [palette]))).toThrow(
      expect.objectContaining({ code: 'data/bad-image' }),
    );
  });
});

describe('resizeByArea', () => {
  it('is the mean over boxes when it divides evenly', () => {
    const image = { width: 4, height: 2, channels: 1 as const, values: Float32Array.of(0, 2, 10, 20, 4, 6, 30, 40) };
    expect([...resizeByArea(image, 2, 1).values]).toEqual([3, 25]);
    expect([...resizeByArea(image, 8, 2).values].slice(0, 4)).toEqual([0, 0, 2, 2]);
  });

  it('keeps the mean of any image at any size, and a size that is right as it is', () => {
    const extent = fc.integer({ min: 1, max: 12 });
    fc.assert(
      fc.property(
        extent,
        extent,
        extent,
        extent,
        fc.infiniteStream(fc.integer({ min: 0, max: 255 })),
        (w, h, W, H, stream) => {
          const values = Float32Array.from({ length: w * h * 3 }, () => stream.next().value);
          const resized = resizeByArea({ width: w, height: h, channels: 3, values }, W, H).values;
          const mean = (numbers: Float32Array): number =>
            numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
          expect(resized.length).toBe(W * H * 3);
          expect(mean(resized)).toBeCloseTo(mean(values), 2);
          if (w === W && h === H) expect(resized).toEqual(values);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('withChannels', () => {
  it('makes gray of colour and colour of gray', () => {
    const colour = { width: 1, height: 1, channels: 3 as const, values: Float32Array.of(255, 0, 0) };
    expect(withChannels(colour, 1).values[0]).toBeCloseTo(76.245, 3);
    expect([...withChannels({ ...colour, channels: 1, values: Float32Array.of(5) }, 3).values]).toEqual([5, 5, 5]);
    expect(withChannels(colour, 3)).toBe(colour);
  });
});
