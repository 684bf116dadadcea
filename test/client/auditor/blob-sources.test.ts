import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BlobSource } from '../../../client/auditor/blob-source.ts';
import { createFolderBlobSource } from '../../../client/auditor/folder-blob-source.ts';
import { createHttpBlobSource } from '../../../client/auditor/http-blob-source.ts';
import type { Hex } from '../../../shared/bytes.ts';

const JOB: Hex = `0x${'0b'.repeat(32)}`;
const STORED: Hex = `0x${'ab'.repeat(32)}`;
const ABSENT: Hex = `0x${'cd'.repeat(32)}`;
const BYTES = Uint8Array.from({ length: 100_000 }, (_, at) => at * 7);

let folder: string;
let server: Server;
let url: string;
const seen: { path: string | undefined; authorization: string | undefined }[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fedanchor-blobs-'));
  await mkdir(join(folder, 'ab'));
  await writeFile(join(folder, 'ab', STORED.slice(2)), BYTES);
  await writeFile(join(folder, 'secret'), 'not a blob');
  server = createServer((request, response) => {
    seen.push({ path: request.url, authorization: request.headers.authorization });
    const name = request.url?.slice(`/jobs/${JOB}/blobs/`.length);
    if (name === STORED) response.end(BYTES);
    else if (name === `0x${'01'.repeat(32)}`) response.writeHead(401).end();
    else if (name === `0x${'02'.repeat(32)}`)
      response.writeHead(302, { location: `/jobs/${JOB}/blobs/${STORED}` }).end();
    else if (name === `0x${'03'.repeat(32)}`) response.writeHead(500).end();
    else if (name === `0x${'04'.repeat(32)}`) response.writeHead(200).write('and then silence');
    else if (name === `0x${'05'.repeat(32)}`) response.writeHead(200).end(new Uint8Array(2 ** 20));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
});

describe.each([
  ['a folder', () => createFolderBlobSource(folder)],
  ['HTTP', () => createHttpBlobSource({ url, job: JOB })],
] as [string, () => BlobSource][])('blobs from %s', (_, create) => {
  it('come as they are stored', async () => {
    expect(Uint8Array.from(await create().get(STORED, BYTES.length))).toEqual(BYTES);
  });

  it('are missing by a code', async () => {
    await expect(create().get(ABSENT, 1000)).rejects.toMatchObject({
      code: 'audit/blob-missing',
      data: { id: ABSENT },
    });
  });

  it('are no longer than asked for', async () => {
    await expect(create().get(STORED, BYTES.length - 1)).rejects.toMatchObject({ code: 'audit/blob-too-large' });
  });
});

describe('a folder', () => {
  it.each(['0x../secret', '0x', '0x../../etc/passwd', `0x${'AB'.repeat(32)}`])(
    'is never left by an id such as %s',
    async (id) => {
      await expect(createFolderBlobSource(folder).get(id as Hex, 1000)).rejects.toMatchObject({
        code: 'audit/blob-missing',
      });
    },
  );

  it('that is none has no blobs', async () => {
    const source = createFolderBlobSource(join(folder, 'nowhere'));
    await expect(source.get(STORED, 1000)).rejects.toMatchObject({ code: 'audit/blob-missing' });
  });

  it('may hold something in the place of a blob that cannot be read', async () => {
    await mkdir(join(folder, 'ef', 'ef'.repeat(32)), { recursive: true });
    const source = createFolderBlobSource(folder);
    await expect(source.get(`0x${'ef'.repeat(32)}`, 10_000)).rejects.toMatchObject({ code: 'audit/blobs-unreachable' });
  });
});

describe('HTTP', () => {
  const get = (digits: string, options = {}) =>
    createHttpBlobSource({ url, job: JOB, ...options }).get(`0x${digits.repeat(32)}`, 1000);

  it('asks at /jobs/<job>/blobs/<id>, with a token only if there is one', async () => {
    seen.length = 0;
    await createHttpBlobSource({ url, job: JOB }).get(STORED, BYTES.length);
    await createHttpBlobSource({ url, job: JOB, token: 'secret' }).get(STORED, BYTES.length);
    expect(seen).toEqual([
      { path: `/jobs/${JOB}/blobs/${STORED}`, authorization: undefined },
      { path: `/jobs/${JOB}/blobs/${STORED}`, authorization: 'Bearer secret' },
    ]);
  });

  it('says that a token is wanted', async () => {
    await expect(get('01')).rejects.toMatchObject({
      code: 'audit/blobs-refused',
      message: expect.stringContaining('--token-file'),
    });
  });

  it('follows no redirect, which could carry the token elsewhere', async () => {
    await expect(get('02', { token: 'secret' })).rejects.toMatchObject({ code: 'audit/blobs-unreachable' });
  });

  it('tells a failing server from a missing blob', async () => {
    await expect(get('03')).rejects.toMatchObject({ code: 'audit/blobs-unreachable', data: { status: 500 } });
  });

  it('gives up on silence', async () => {
    await expect(get('04', { idleTimeoutMs: 50 })).rejects.toMatchObject({
      code: 'audit/blobs-unreachable',
      message: expect.stringContaining('silent for 50 ms'),
    });
  });

  it('stops reading what is longer than it may be', async () => {
    await expect(get('05')).rejects.toMatchObject({ code: 'audit/blob-too-large' });
  });

  it('says who did not answer', async () => {
    const source = createHttpBlobSource({ url: 'http://127.0.0.1:9', job: JOB });
    await expect(source.get(STORED, 1000)).rejects.toMatchObject({
      code: 'audit/blobs-unreachable',
      message: expect.stringContaining('http://127.0.0.1:9'),
    });
  });

  it('ends with its signal', async () => {
    const controller = new AbortController();
    const pending = createHttpBlobSource({ url, job: JOB, signal: controller.signal }).get(
      `0x${'04'.repeat(32)}`,
      1000,
    );
    controller.abort(new Error('enough'));
    await expect(pending).rejects.toThrow('enough');
  });
});
