import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { downloadDataset } from '../../../client/data/download-dataset.ts';
import { KNOWN_DATASETS } from '../../../client/data/known-datasets.ts';
import { makeFolder } from './temporary-folder.ts';

const content = Buffer.from('what is known to be there\n'.repeat(10_000));
const file = { name: 'part', sha256: createHash('sha256').update(content).digest('hex'), bytes: content.length };

/** A server that answers every address with the same bytes. */
async function serve(body: Uint8Array, status = 200): Promise<string> {
  const server = createServer((_, response) => response.writeHead(status).end(body));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** An address at which nobody listens. */
async function nowhere(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

const download = (mirrors: string[], out: string, told: string[] = []) =>
  downloadDataset({ dataset: { mirrors, files: [file] }, out, onFile: (_, was) => told.push(was) });

describe('downloadDataset', () => {
  it('keeps what has the hash that is known, and does not fetch it again', async () => {
    const out = join(await makeFolder({}), 'deep', 'er');
    const told: string[] = [];
    await download([await serve(gzipSync(content))], out, told);
    expect(await readFile(join(out, 'part'))).toEqual(content);
    await download([await nowhere()], out, told);
    expect(told).toEqual(['fetched', 'there']);
    expect(await readdir(out)).toEqual(['part']);
  });

  it('fetches again what was changed since', async () => {
    const out = await makeFolder({ part: 'something else' });
    await download([await serve(gzipSync(content))], out);
    expect(await readFile(join(out, 'part'))).toEqual(content);
  });

  it('goes on to the next mirror', async () => {
    const out = await makeFolder({});
    const wrong = await serve(gzipSync('something else'));
    await download([await nowhere(), await serve(new Uint8Array(), 500), wrong, await serve(gzipSync(content))], out);
    expect(await readFile(join(out, 'part'))).toEqual(content);
  });

  it.each([
    ['other bytes', gzipSync(Buffer.concat([content.subarray(1), Uint8Array.of(0)])), 200, 'data/wrong-hash'],
    ['more than there is to be', gzipSync(Buffer.alloc(50 * 2 ** 20)), 200, 'data/wrong-hash'],
    ['half of it', gzipSync(content).subarray(0, 200), 200, 'data/download-failed'],
    ['what is not packed', content, 200, 'data/download-failed'],
    ['nothing', new Uint8Array(), 404, 'data/download-failed'],
  ])('keeps nothing of %s', async (_, body, status, code) => {
    const out = await makeFolder({});
    await expect(download([await serve(body, status)], out)).rejects.toMatchObject({ code });
    expect(await readdir(out)).toEqual([]);
  });

  it('says that the machine is offline', async () => {
    const out = await makeFolder({});
    await expect(download([await nowhere()], out)).rejects.toMatchObject({ code: 'data/offline' });
  });

  it('ends when it is told to', async () => {
    const out = await makeFolder({});
    const ended = downloadDataset({
      dataset: { mirrors: [await serve(gzipSync(content))], files: [file] },
      out,
      signal: AbortSignal.abort(new Error('no longer wanted')),
    });
    await expect(ended).rejects.toThrow('no longer wanted');
    await writeFile(join(out, 'still'), '');
    expect(existsSync(join(out, 'part'))).toBe(false);
  });

  it('knows sizes that agree with the shapes of the data sets', () => {
    for (const { files } of Object.values(KNOWN_DATASETS)) {
      expect(files.map(({ bytes }) => bytes)).toEqual([16 + 60_000 * 784, 8 + 60_000, 16 + 10_000 * 784, 8 + 10_000]);
      expect(new Set(files.map(({ sha256 }) => sha256)).size).toBe(4);
      for (const { sha256 } of files) expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    }
  });
});
