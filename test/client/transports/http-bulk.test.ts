import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHttpBulk, type HttpBulkOptions } from '../../../client/transports/http-bulk.ts';
import type { Hex } from '../../../shared/bytes.ts';

const ROOT: Hex = `0x${'ab'.repeat(32)}`;
const JOB: Hex = `0x${'0b'.repeat(32)}`;
const BLOB = Uint8Array.from({ length: 100_000 }, (_, index) => index % 251);

let server: Server;
let url: string;
let seen: { readonly method: string; readonly url: string; readonly headers: IncomingMessage['headers'] }[];
let handle: (request: IncomingMessage, response: ServerResponse) => void;
beforeEach(async () => {
  seen = [];
  server = createServer((request, response) => {
    seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers });
    handle(request, response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

function open(changes: Partial<HttpBulkOptions> = {}) {
  return createHttpBulk({
    url,
    token: () => 'secret',
    renewToken: async () => {},
    retry: { tries: 4, firstDelayMs: 1, mostDelayMs: 2 },
    ...changes,
  });
}

function end(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

describe('createHttpBulk', () => {
  it('downloads a blob with its token', async () => {
    handle = (_request, response) => response.end(BLOB);
    expect(await open().getBlob(JOB, ROOT, BLOB.length)).toEqual(BLOB);
    expect(seen[0]).toMatchObject({
      method: 'GET',
      url: `/jobs/${JOB}/blobs/${ROOT}`,
      headers: { authorization: 'Bearer secret' },
    });
  });

  it('goes on where a download broke off', async () => {
    handle = (request, response) => {
      const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
      response.writeHead(from > 0 ? 206 : 200, { 'content-length': BLOB.length - from });
      if (seen.length > 2) response.end(BLOB.subarray(from));
      else response.write(BLOB.subarray(from, from + 20_000), () => response.destroy());
    };
    expect(await open().getBlob(JOB, ROOT, BLOB.length)).toEqual(BLOB);
    expect(seen).toHaveLength(3);
    const asked = seen.map(({ headers }) => Number(headers.range?.slice(6, -1) ?? 0));
    expect(asked[0]).toBe(0);
    expect(asked[1]).toBeGreaterThan(0);
    expect(asked[2]).toBeGreaterThanOrEqual(asked[1] ?? 0);
  });

  it('starts over when the server does not know ranges', async () => {
    handle = (_request, response) => {
      response.writeHead(200, { 'content-length': BLOB.length });
      if (seen.length > 1) response.end(BLOB);
      else response.write(BLOB.subarray(0, 20_000), () => response.destroy());
    };
    expect(await open().getBlob(JOB, ROOT, BLOB.length)).toEqual(BLOB);
  });

  it('refuses an answer longer than the blob can be', async () => {
    handle = (_request, response) => response.end(BLOB);
    await expect(open().getBlob(JOB, ROOT, BLOB.length - 1)).rejects.toMatchObject({ code: 'transport/too-large' });
    expect(seen).toHaveLength(1);
  });

  it.each([500, 503, 429])('tries again after %d', async (status) => {
    handle = (_request, response) => (seen.length < 3 ? end(response, status, {}) : response.end(BLOB));
    expect(await open().getBlob(JOB, ROOT, BLOB.length)).toEqual(BLOB);
    expect(seen).toHaveLength(3);
  });

  it('gives up after its tries', async () => {
    handle = (_request, response) => end(response, 503, {});
    await expect(open().getBlob(JOB, ROOT, 10)).rejects.toMatchObject({ code: 'transport/unreachable' });
    expect(seen).toHaveLength(4);
  });

  it('says that nobody listens', async () => {
    server.close();
    await expect(open().getBlob(JOB, ROOT, 10)).rejects.toMatchObject({ code: 'transport/unreachable' });
  });

  it('passes a refusal on with the coordinator’s code, once', async () => {
    handle = (_request, response) => end(response, 404, { code: 'blob/missing', message: 'there is no such blob' });
    await expect(open().getBlob(JOB, ROOT, 10)).rejects.toMatchObject({
      name: 'ProtocolError',
      code: 'blob/missing',
      message: 'there is no such blob',
    });
    expect(seen).toHaveLength(1);
  });

  it('names the status where a refusal has no code', async () => {
    handle = (_request, response) => {
      response.writeHead(418);
      response.end('short and stout');
    };
    await expect(open().getBlob(JOB, ROOT, 10)).rejects.toMatchObject({ name: 'ProtocolError', code: 'http/418' });
  });

  it('times out when the coordinator is silent, before and within an answer', async () => {
    const options = { idleTimeoutMs: 30, retry: { tries: 1, firstDelayMs: 1, mostDelayMs: 1 } };
    handle = () => {};
    await expect(open(options).getBlob(JOB, ROOT, BLOB.length)).rejects.toMatchObject({ code: 'transport/timeout' });
    handle = (_request, response) => {
      response.writeHead(200, { 'content-length': BLOB.length });
      response.write(BLOB.subarray(0, 100));
    };
    await expect(open(options).getBlob(JOB, ROOT, BLOB.length)).rejects.toMatchObject({ code: 'transport/timeout' });
  });

  it('renews an expired token once, and passes a second 401 on', async () => {
    let token = 'old';
    let renewals = 0;
    const options = {
      token: () => token,
      renewToken: async () => {
        renewals++;
        token = 'new';
      },
    };
    handle = (request, response) => {
      if (request.headers.authorization === 'Bearer new') response.end(BLOB);
      else end(response, 401, { code: 'session/not-open', message: 'no session' });
    };
    expect(await open(options).getBlob(JOB, ROOT, BLOB.length)).toEqual(BLOB);
    expect(renewals).toBe(1);
    handle = (_request, response) => end(response, 401, { code: 'session/not-open', message: 'no session' });
    await expect(open(options).getBlob(JOB, ROOT, BLOB.length)).rejects.toMatchObject({ code: 'session/not-open' });
    expect(renewals).toBe(2);
  });

  it('stops when told to, also between tries', async () => {
    const stop = new AbortController();
    handle = () => stop.abort(new Error('told to'));
    await expect(open().getBlob(JOB, ROOT, 10, stop.signal)).rejects.toThrow('told to');
    const later = new AbortController();
    handle = (_request, response) => {
      end(response, 503, {});
      setImmediate(() => later.abort(new Error('told to')));
    };
    const retry = { tries: 9, firstDelayMs: 60_000, mostDelayMs: 60_000 };
    await expect(open({ retry }).getBlob(JOB, ROOT, 10, later.signal)).rejects.toThrow();
    expect(seen).toHaveLength(2);
  });

  it('uploads a part whole, again after a failure', async () => {
    const bodies: Buffer[] = [];
    handle = (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        bodies.push(Buffer.concat(chunks));
        if (bodies.length < 2) response.destroy();
        else end(response, 200, { kept: true });
      });
    };
    await open().putPart(JOB, ROOT, 3, BLOB.subarray(10, 5_010));
    expect(bodies[1]?.equals(BLOB.subarray(10, 5_010))).toBe(true);
    expect(seen.at(-1)).toMatchObject({
      method: 'PUT',
      url: `/jobs/${JOB}/uploads/${ROOT}/parts/3`,
      headers: { 'content-type': 'application/octet-stream', authorization: 'Bearer secret' },
    });
  });

  it('asks whether a part is there', async () => {
    handle = (request, response) => {
      response.writeHead(request.url?.endsWith('/1') ? 200 : 404);
      response.end();
    };
    expect(await open().headPart(JOB, ROOT, 1)).toBe(true);
    expect(await open().headPart(JOB, ROOT, 2)).toBe(false);
  });
});
