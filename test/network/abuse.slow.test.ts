import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Signer } from '../../contracts/wallet.ts';
import type { NetworkOptions } from '../../coordinator/network.ts';
import type { Collecting } from '../../coordinator/round/state.ts';
import { PART_BYTES, vectorBytes } from '../../shared/commitments/vector-trees.ts';
import { blobPath, partPath } from '../../shared/protocol/routes.ts';
import { hash, offerOf, type TestJobChoices, updateOf, WALLETS } from '../coordinator/fixture.ts';
import {
  answerOf,
  connect,
  openSession,
  sendPart,
  startServer,
  type TestServer,
} from '../coordinator/server-harness.ts';
import { takePart } from './clients.ts';
import { rawHttp, trickle } from './raw-http.ts';

const [A, B, C, D] = WALLETS as [Signer, Signer, Signer, Signer];
const OTHERS = [B, C, D];

/** A server whose rounds go on without the first of the participants. */
function start(network: NetworkOptions = {}, neighbours: TestJobChoices[] = []): Promise<TestServer> {
  const participation = { expected: 3, quorum: 3 };
  return startServer(
    { rounds: 2, participation },
    { network, neighbours: neighbours.map((its) => ({ ...its, participation })) },
  );
}

/** All others take part in the whole job, as if nothing else happened. */
async function expectOthersServed(server: TestServer, job: Pick<TestServer, 'world' | 'life'> = server): Promise<void> {
  expect(await takePart(job.world, server.url, OTHERS)).toEqual(['closed', 'closed', 'closed']);
  expect(job.life.runner.state).toMatchObject({
    phase: 'closed',
    progress: { rounds: job.world.job.terms.manifest.rounds },
  });
  expect(server.life.log.errors).toEqual([]);
}

/** Request line and headers of a PUT. */
function putHead(path: string, headers: Record<string, string | number>): string {
  const lines = Object.entries({ host: 'x', 'content-type': 'application/octet-stream', ...headers });
  return `PUT ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
}

describe('slow-loris', () => {
  const limits = { headersMs: 200, requestMs: 300, stallMs: 60_000 };

  it('a connection that says nothing is closed', async () => {
    const server = await start({ limits });
    const silent = await rawHttp(server.url);
    const answered = silent.answer;
    await expectOthersServed(server);
    expect(await answered).toMatch(/^$|request\/too-slow/);
  });

  it('headers that trickle are cut off by code', async () => {
    const server = await start({ limits });
    const slow = Array.from({ length: 20 }, async () => {
      const raw = await rawHttp(server.url);
      raw.send('GET /healthz HTTP/1.1\r\nhost: x\r\n');
      trickle(raw, () => `x-${randomBytes(4).toString('hex')}: y\r\n`);
      return raw.answer;
    });
    await expectOthersServed(server);
    for (const answer of await Promise.all(slow)) {
      expect(answer).toContain('408 Request Timeout');
      expect(answer).toContain('"code":"request/too-slow"');
    }
  });

  it('a part that trickles is cut off and gives its slot back', async () => {
    const server = await start({ limits: { ...limits, partsAtOncePerJob: 3, partsAtOncePerSession: 3 } });
    const { token } = await openSession(server, A);
    const path = partPath(server.world.job.terms.job, hash('x'), 0);
    const slow = Array.from({ length: 3 }, async () => {
      const raw = await rawHttp(server.url);
      raw.send(putHead(path, { authorization: `Bearer ${token}`, 'content-length': PART_BYTES }));
      trickle(raw, () => 'x');
      return raw.answer;
    });
    for (const answer of await Promise.all(slow)) expect(answer).toContain('"code":"request/too-slow"');
    // With the slots of the job all taken for ever, no part of anybody would get in.
    await expectOthersServed(server);
  });

  it('a download that is not read is cut off', async () => {
    const server = await start({ limits: { stallMs: 300 } });
    await server.world.blobs.put(hash('big'), new Uint8Array(64 * PART_BYTES));
    const accepted = once(server.http, 'connection');
    const raw = await rawHttp(server.url);
    raw.socket.pause();
    const [connection] = (await accepted) as [Socket];
    const closed = once(connection, 'close');
    raw.send(`GET ${blobPath(server.world.job.terms.job, hash('big'))} HTTP/1.1\r\nhost: x\r\n\r\n`);
    await expectOthersServed(server);
    await closed;
    expect(connection.bytesWritten).toBeLessThan(64 * PART_BYTES);
  });

  it('a control connection without a session is closed', async () => {
    const server = await start({ limits: { handshakeMs: 100 } });
    const idle = await connect(server);
    expect(await idle.closed).toBe('io server disconnect');
    await expectOthersServed(server);
  });
});

describe('oversize', () => {
  it.each([
    ['announced', { 'content-length': 2 ** 40 }],
    ['in chunks without end', { 'transfer-encoding': 'chunked' }],
  ])('a part that is too long, %s, is refused and its connection ended', async (_how, headers) => {
    const server = await start();
    const { token } = await openSession(server, A);
    const raw = await rawHttp(server.url);
    const path = partPath(server.world.job.terms.job, hash('x'), 0);
    raw.send(putHead(path, { authorization: `Bearer ${token}`, ...headers }));
    if ('transfer-encoding' in headers) {
      const chunk = Buffer.alloc(64 * 1024);
      const framed = Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]);
      trickle(raw, () => framed);
    }
    const answer = await raw.answer;
    expect(answer).toContain('413');
    expect(answer).toContain('"code":"request/invalid"');
    await expectOthersServed(server);
  });

  it('headers that are too long are refused', async () => {
    const server = await start();
    const raw = await rawHttp(server.url);
    raw.send(`GET /healthz HTTP/1.1\r\nx: ${'y'.repeat(100_000)}`);
    expect(await raw.answer).toContain('431');
    await expectOthersServed(server);
  });

  it('a control message that is too long ends its connection', async () => {
    const server = await start();
    const { socket, closed } = await openSession(server, A);
    socket.emit('job.state', { job: 'x'.repeat(2 ** 20) }, () => {});
    expect(await closed).toMatch(/transport (close|error)/);
    await expectOthersServed(server);
  });

  it('a body of somebody without a session is not read', async () => {
    const server = await start();
    const raw = await rawHttp(server.url);
    const path = partPath(server.world.job.terms.job, hash('x'), 0);
    raw.send(putHead(path, { 'content-length': PART_BYTES }));
    // Not one byte of the body has been sent.
    expect(await raw.heard('session/not-open')).toContain('401');
    await expectOthersServed(server);
  });
});

describe('bomb', () => {
  it.each(['gzip', 'br', 'deflate', 'zstd', 'x-nested, gzip'])(
    'a part in content-encoding %s is refused unread',
    async (encoding) => {
      const server = await start();
      const { token } = await openSession(server, A);
      const body = Uint8Array.from(gzipSync(Buffer.alloc(64 * PART_BYTES)));
      const response = await fetch(server.url + partPath(server.world.job.terms.job, hash('x'), 0), {
        method: 'PUT',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/octet-stream',
          'content-encoding': encoding,
        },
        body,
      });
      expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([415, 'request/encoded']);
    },
  );

  it('compression of the control plane is never agreed to, and a compressed frame ends its connection', async () => {
    const server = await start();
    const raw = await rawHttp(server.url);
    raw.send(
      [
        'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1',
        'host: x',
        'upgrade: websocket',
        'connection: upgrade',
        'sec-websocket-version: 13',
        `sec-websocket-key: ${randomBytes(16).toString('base64')}`,
        'sec-websocket-extensions: permessage-deflate; client_max_window_bits',
        '\r\n',
      ].join('\r\n'),
    );
    const head = await raw.heard('\r\n\r\n');
    expect(head).toContain('101 Switching Protocols');
    expect(head.toLowerCase()).not.toContain('sec-websocket-extensions');
    // FIN, RSV1 and binary: a compressed message, of 4 masked bytes.
    raw.send(Uint8Array.of(0xc2, 0x84, 0, 0, 0, 0, 1, 2, 3, 4));
    await raw.answer;
    await expectOthersServed(server);
  });

  it('a message that unfolds in depth or in announced length ends its connection', async () => {
    const server = await start();
    for (const frame of [
      Uint8Array.from({ length: 500_000 }, () => 0x91),
      Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff),
      Uint8Array.of(0xdf, 0xff, 0xff, 0xff, 0xff),
      Uint8Array.of(0xdb, 0xff, 0xff, 0xff, 0xff),
      Uint8Array.of(0xc6, 0xff, 0xff, 0xff, 0xff),
    ]) {
      const { socket, closed } = await connect(server);
      socket.io.engine.send(frame);
      await closed;
    }
    await expectOthersServed(server);
  });
});

describe('flood of one client', () => {
  it('with requests: it is refused by code, then cut off; all others are served', async () => {
    const server = await start({
      limits: { requestsPerSession: { perSecond: 20, burst: 50 }, refusalsPerConnection: 500 },
    });
    const { job } = server.world.job.terms;
    const flooder = await openSession(server, A);
    const replies: string[] = [];
    for (let count = 0; count < 2000; count++) {
      flooder.socket.emit('job.state', { job }, (reply: { ok: boolean; code?: string }) =>
        replies.push(reply.code ?? 'ok'),
      );
    }
    const served = expectOthersServed(server);
    expect(await flooder.closed).toMatch(/transport (close|error)/);
    // What waited for the flooder when it was cut off is lost to it.
    expect(replies.filter((code) => code !== 'ok' && code !== 'request/too-many')).toEqual([]);
    expect(replies.filter((code) => code === 'ok').length).toBeLessThanOrEqual(70);
    expect(replies.filter((code) => code === 'request/too-many').length).toBeGreaterThan(0);
    await served;
  });

  it('with parts: 429 with a time to come back, and no more slots than its own', async () => {
    const server = await start({
      limits: { partsPerSession: { perSecond: 1, burst: 20 }, partsAtOncePerSession: 2, partsAtOncePerJob: 16 },
    });
    const { token } = await openSession(server, A);
    const bytes = new Uint8Array(PART_BYTES);
    const flood = Promise.all(
      Array.from({ length: 100 }, () => sendPart(server, { root: hash('x'), token }, bytes).catch(() => undefined)),
    );
    await expectOthersServed(server);
    const answers = (await flood).filter((answer) => answer !== undefined);
    const limited = answers.filter(({ status }) => status === 429);
    expect(limited.length).toBeGreaterThanOrEqual(80);
    for (const answer of limited) {
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      expect(await answer.json()).toMatchObject({ code: 'request/too-many' });
    }
    expect(answers.filter(({ status }) => status !== 429).every(({ status }) => status === 404)).toBe(true);
  });

  it('with downloads: each address has its share', async () => {
    const server = await start({ exempt: ['127.0.0.2'], limits: { downloadsPerParty: { perSecond: 1, burst: 30 } } });
    const url = `${server.url}/healthz`;
    const statuses = await Promise.all(Array.from({ length: 100 }, async () => (await fetch(url)).status));
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(60);
    // A session is a party of its own, whatever its address has used up.
    await expectOthersServed(server);
  });

  it('with connections: its address has so many, and they are given back', async () => {
    const server = await start({ exempt: [], limits: { connectionsPerAddress: 40 } });
    const held = await Promise.all(Array.from({ length: 60 }, () => rawHttp(server.url)));
    const cut = held.filter(({ socket }) => socket.closed).length;
    await Promise.all(held.slice(40).map(({ answer }) => answer));
    expect(cut).toBeLessThanOrEqual(20);
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow();
    await Promise.all(
      held.map(({ socket, answer }) => {
        socket.destroy();
        return answer;
      }),
    );
    await expectOthersServed(server);
  });

  it('with handshakes: its address has so many', async () => {
    const server = await start({ exempt: [], limits: { handshakesPerAddress: { perSecond: 1, burst: 5 } } });
    const tries = await Promise.allSettled(Array.from({ length: 10 }, () => connect(server)));
    expect(tries.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(7);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  });

  it('that does not read: it is cut off once too much waits for it', async () => {
    const server = await start({
      limits: { requestsPerSession: { perSecond: 1e6, burst: 1e6 }, unreadMessages: 50 },
    });
    const { job } = server.world.job.terms;
    const deaf = await openSession(server, A);
    const tcp = (deaf.socket.io.engine.transport as unknown as { ws: { pause(): void } }).ws;
    tcp.pause();
    const reply = 'y'.repeat(80);
    for (let count = 0; count < 100_000; count++) deaf.socket.emit(reply, { job }, () => {});
    await expectOthersServed(server);
    expect(server.sessions.find(deaf.token)).toBeUndefined();
  });
});

describe('flood of one job', () => {
  it('leaves the other job of the coordinator its own share', async () => {
    const server = await start(
      {
        limits: {
          requestsPerJob: { perSecond: 20, burst: 60 },
          downloadsPerJob: { perSecond: 1, burst: 10 },
          partsAtOncePerJob: 1,
          partsAtOnce: 8,
        },
      },
      [{ rounds: 1 }],
    );
    const [neighbour] = server.neighbours;
    if (!neighbour) throw new Error('there is no other job');
    const { terms } = server.world.job;
    const crowd = await Promise.all(WALLETS.map((signer) => openSession(server, signer)));
    const replies: Promise<{ ok: boolean; code?: string }>[] = [];
    for (const { request } of crowd) {
      for (let count = 0; count < 90; count++) replies.push(request('job.state', { job: terms.job }));
    }
    const downloads = Array.from({ length: 50 }, () =>
      fetch(server.url + blobPath(terms.job, terms.manifest.initialModelRoot)),
    );
    const parts = crowd.map(({ token }) => sendPart(server, { root: hash('x'), token }, new Uint8Array(PART_BYTES)));
    await expectOthersServed(server, neighbour);
    const codes = (await Promise.all(replies)).map(({ code = 'ok' }) => code);
    expect(codes.filter((code) => code === 'request/too-many').length).toBeGreaterThan(200);
    const statuses = (await Promise.all(downloads)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(20);
    await Promise.all(parts);
  });
});

describe('quotas', () => {
  it('let a participant have so many updates on their way, and no more', async () => {
    const server = await start();
    for (const { address } of OTHERS) await server.life.runner.join(address);
    const { plan } = server.life.runner.state as Collecting;
    const { terms } = server.world.job;
    const { request } = await openSession(server, B);
    const replies: string[] = [];
    for (let round = 1; round <= 4; round++) {
      const bytes = vectorBytes(updateOf(terms, B.address, { ...plan, round }));
      const reply = await request('update.offer', { job: terms.job, round: 1, attempt: 0, ...offerOf(bytes) });
      replies.push(reply.ok ? 'ok' : reply.code);
    }
    expect(replies).toEqual(['ok', 'ok', 'upload/over-quota', 'upload/over-quota']);
    answerOf(await request('job.state', { job: terms.job }));
  });
});
