import { execFile } from 'node:child_process';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createGzip } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createRng } from '../../../shared/rng.ts';
import { idx } from './records.ts';
import { makeFolder } from './temporary-folder.ts';

const MIB = 2 ** 20;
/** What reading may take beyond what the program takes anyway: far below the half gigabyte of data. */
const MOST = 160 * MIB;

async function memoryOf(data: Readonly<Record<string, unknown>>, folder: string) {
  const task = JSON.stringify({ kind: 'classification', architecture: {}, training: {}, data });
  const loader = Reflect.get(process.features, 'typescript') ? [] : ['--import', './test/typescript-loader.mjs'];
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...loader,
    'test/client/data/read-once.ts',
    task,
    folder,
  ]);
  return JSON.parse(stdout) as { readonly records: number; readonly bytes: number };
}

async function writePieces(path: string, pieces: Iterable<string | Uint8Array>): Promise<void> {
  const file = await open(path, 'w');
  for (const piece of pieces) await file.write(piece as Uint8Array);
  await file.close();
}

describe('data sets larger than the memory they may take', () => {
  it('reads 512 MiB of IDX, plain and packed', async () => {
    const count = 43_690;
    const folder = await makeFolder({ 'train-labels-idx1-ubyte': idx([count], new Uint8Array(count)) });
    const images = join(folder, 'train-images-idx3-ubyte');
    const rng = createRng(1);
    await writePieces(
      images,
      (function* () {
        yield idx([count, 64, 64, 3], new Uint8Array());
        const record = new Uint8Array(64 * 64 * 3);
        for (let at = 0; at < count; at++) {
          new DataView(record.buffer).setUint32(4 * rng.below(3_000), rng.nextUint32());
          yield record;
        }
      })(),
    );
    const data = { format: 'idx', inputShape: [64, 64, 3], classes: 2 };
    const plain = await memoryOf(data, folder);
    expect(plain.records).toBe(count);
    expect(plain.bytes).toBeLessThan(MOST);

    const packed = join(await makeFolder({}), 'packed');
    await mkdir(packed);
    for (const name of ['train-labels-idx1-ubyte', 'train-images-idx3-ubyte']) {
      const source = createReadStream(join(folder, name));
      await pipeline(source, createGzip({ level: 1 }), createWriteStream(join(packed, `${name}.gz`)));
    }
    expect((await memoryOf(data, packed)).bytes).toBeLessThan(MOST);
  });

  it('reads 256 MiB of NDJSON and of CSV', async () => {
    const lines = 64 * 1024;
    const numbers = Array.from({ length: 512 }, (_, at) => 1_000_000 + at);
    const folder = await makeFolder({});
    await writePieces(
      join(folder, 'a.ndjson'),
      (function* () {
        for (let at = 0; at < lines; at++) yield `{"y":${at % 2},"x":[${at},${numbers.join(',')}]}\n`;
      })(),
    );
    await writePieces(
      join(folder, 'a.csv'),
      (function* () {
        for (let at = 0; at < lines; at++) yield `${at % 2},${at},${numbers.join(',')}\n`;
      })(),
    );
    const common = { inputShape: [513], classes: 2 };
    const ndjson = await memoryOf({ ...common, format: 'ndjson', label: 'y', features: 'x' }, folder);
    expect(ndjson.records).toBe(lines);
    expect(ndjson.bytes).toBeLessThan(MOST);
    const csv = await memoryOf({ ...common, format: 'csv', header: false, label: 0 }, folder);
    expect(csv.records).toBe(lines);
    expect(csv.bytes).toBeLessThan(MOST);
  });
});
