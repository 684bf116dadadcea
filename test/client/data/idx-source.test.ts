import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { DataOf } from '../../../client/data/classification-data.ts';
import { openIdx } from '../../../client/data/idx-source.ts';
import { idx, idxFiles, taskData } from './records.ts';
import { makeFolder } from './temporary-folder.ts';

const task = { format: 'idx', inputShape: [2, 2, 1], classes: 3 };
const open = async (files: Record<string, Uint8Array>, changes: Readonly<Record<string, unknown>> = {}) =>
  openIdx([await makeFolder(files)], taskData({ ...task, ...changes }) as DataOf<'idx'>);

describe('openIdx', () => {
  it.each(['plain', 'packed'])('reads %s files by position', async (kind) => {
    const files = Object.entries(idxFiles(20)).map(([name, bytes]) =>
      kind === 'plain' ? ([name, bytes] as const) : ([`${name}.gz`, gzipSync(bytes)] as const),
    );
    const source = await open(Object.fromEntries(files));
    expect([...source.labels.slice(0, 5)]).toEqual([0, 1, 2, 0, 1]);
    const into = new Float32Array(8);
    source.readInput(19, into, 4);
    expect(into[4]).toBe(19);
    expect(source.readRaw(7)[0]).toBe(7);
    source.close();
  });

  it('takes a second pair as what is held out', async () => {
    const source = await open({ ...idxFiles(20), ...idxFiles(4, 't10k') }, { heldOutPart: 't10k' });
    expect(source.heldOutFrom).toBe(20);
    expect(source.labels.length).toBe(24);
    expect(source.readRaw(21)[0]).toBe(1);
    expect(source.locate(21)).toMatch(/t10k-images-idx3-ubyte, record 1$/);
    source.close();
  });

  const good = idxFiles(3);
  const images = good['train-images-idx3-ubyte'] as Uint8Array;
  const labels = good['train-labels-idx1-ubyte'] as Uint8Array;
  it.each([
    ['images that are cut off', { images: images.slice(0, -1) }, 'data/bad-record', 'cut off'],
    [
      'images with something behind them',
      { images: Buffer.concat([images, images]) },
      'data/bad-record',
      'after its end',
    ],
    ['a header that is cut off', { images: images.slice(0, 9) }, 'data/bad-record', 'header is cut off'],
    ['an empty file', { labels: new Uint8Array() }, 'data/bad-record', '0 bytes'],
    ['a file that is still packed', { images: gzipSync(images) }, 'data/bad-record', 'still packed'],
    ['values of another type', { images: idx([3, 2, 2], new Uint8Array(48), 0x0d) }, 'data/bad-record', '0xd'],
    ['another image size', { images: idx([3, 2, 3], new Uint8Array(18)) }, 'data/bad-record', 'shape [2,3]'],
    ['as many labels as there are not images', { labels: idx([2], new Uint8Array(2)) }, 'data/bad-record', 'labels 2'],
    ['a label beyond the classes', { labels: idx([3], Uint8Array.of(0, 3, 1)) }, 'data/bad-label', 'record 1: "3"'],
    ['a size beyond all files', { images: idx([2 ** 32 - 1, 2, 2], new Uint8Array(4)) }, 'data/bad-record', 'cut off'],
  ])('names the file and the remedy of %s', async (_, changes, code, told) => {
    const { images: pictures = images, labels: answers = labels } = changes as Record<string, Uint8Array>;
    await expect(
      open({ 'train-images-idx3-ubyte': pictures, 'train-labels-idx1-ubyte': answers }),
    ).rejects.toMatchObject({ code, message: expect.stringContaining(told) });
  });

  it('names the pair that is missing', async () => {
    await expect(open(good, { part: 'extra' })).rejects.toMatchObject({
      code: 'data/no-records',
      message: expect.stringContaining('extra-images'),
    });
  });
});
