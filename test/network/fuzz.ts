import { randomBytes } from 'node:crypto';
import { connect as connectTcp } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { expect } from 'vitest';
import type { Signer } from '../../contracts/wallet.ts';
import { fromHex } from '../../shared/bytes.ts';
import { vectorBytes } from '../../shared/commitments/vector-trees.ts';
import { COORDINATOR, hash, offerOf, STRANGER, updateOf, WALLETS } from '../coordinator/fixture.ts';
import { connect, openSession, startServer, type TestServer } from '../coordinator/server-harness.ts';
import { takePart } from './clients.ts';
import { httpRequests } from './http-arbitraries.ts';
import { messages } from './message-arbitraries.ts';

const [A, ...OTHERS] = WALLETS as [Signer, ...Signer[]];
const PLENTY = { perSecond: 1e9, burst: 1e9 };

/** What the heap may have grown by after everything has been let go, in bytes. */
const MOST_GROWTH_BYTES = 24 * 2 ** 20;

/** A coordinator that lets everything through to where it can do harm. */
async function start(): Promise<{ server: TestServer; hexes: string[] }> {
  const server = await startServer(
    {
      rounds: 2,
      // The attacker may join and stay silent: a round then closes at its deadline.
      participation: { expected: 3, quorum: 2, deadlineMs: 3000, retries: 20 },
      rule: { rule: 'Average', f: 0 },
      disclosure: 'participants',
    },
    {
      now: Date.now,
      network: {
        limits: {
          requestsPerSession: PLENTY,
          requestsPerJob: PLENTY,
          partsPerSession: PLENTY,
          downloadsPerParty: PLENTY,
        },
      },
    },
  );
  const { terms } = server.world.job;
  const plan = { round: 1, attempt: 0 };
  const { updateRoot, partRoots } = offerOf(vectorBytes(updateOf(terms, A.address, plan)));
  const signature = A.signDigest(fromHex(hash('anything')));
  const hexes = [
    ...[terms.job, terms.manifest.initialModelRoot, updateRoot, ...partRoots, hash('x'), `0x${'00'.repeat(32)}`],
    ...[A.address, OTHERS[0]?.address ?? '', COORDINATOR.address, STRANGER.address, signature, `0x${'00'.repeat(65)}`],
    ...['0x', `0x${'zz'.repeat(32)}`],
  ];
  return { server, hexes };
}

/** Loads and compiles what a job takes, which stays on the heap whatever comes. */
async function warmUp(): Promise<void> {
  const { server } = await start();
  await takePart(server.world, server.url, OTHERS);
  await server.stop();
}

/** How much of each. */
export interface FuzzChoices {
  /** Cases of each kind. */
  readonly numRuns: number;
}

/** Whatever came, the coordinator is alive, remembers nothing of it, and completes the job of everyone else. */
async function expectUnharmed(server: TestServer, before: number): Promise<void> {
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  expect(await takePart(server.world, server.url, OTHERS)).toEqual(OTHERS.map(() => 'closed'));
  expect(server.life.runner.state).toMatchObject({ phase: 'closed', progress: { rounds: 2 } });
  expect(server.life.log.errors).toEqual([]);
  expect(heapBytes() - before).toBeLessThan(MOST_GROWTH_BYTES);
}

/** Every message of the control plane, as a stranger and as a participant, then as bytes that are hardly messages. */
export async function fuzzControlPlane({ numRuns }: FuzzChoices): Promise<void> {
  await warmUp();
  const { server, hexes } = await start();
  const { job } = server.world.job.terms;
  const before = heapBytes();
  const steady = await openSession(server, OTHERS[0] as Signer);
  const attacker = {
    stranger: await patient(() => connect(server)),
    participant: await patient(() => openSession(server, A)),
  };
  const someone = fc.constantFrom<keyof typeof attacker>('stranger', 'participant');
  await fc.assert(
    fc.asyncProperty(someone, fc.array(messages(hexes), { minLength: 1, maxLength: 5 }), async (who, sent) => {
      const { send, closed } = await attacker[who]();
      const replies = sent.map(({ name, payload }) => send(name, payload));
      for (const reply of await Promise.race([Promise.all(replies), closed.then(() => [])])) {
        expect(reply).toMatchObject(reply.ok ? { answer: {} } : { code: expect.stringMatching(/^[a-z-]+\/[a-z-]+$/) });
        if (!reply.ok) expect(reply.code).not.toBe('request/failed');
      }
      for (const reply of replies) reply.catch(() => {});
      expect(await steady.request('job.state', { job })).toMatchObject({ ok: true });
    }),
    { numRuns },
  );
  const packr = new Packr({ useRecords: false, moreTypes: false });
  const frame = fc
    .tuple(messages(hexes), fc.nat(9), fc.array(fc.tuple(fc.nat(500), fc.nat(255)), { maxLength: 4 }))
    .map(([{ name, payload }, id, changes]) => {
      const bytes = Uint8Array.from(packr.pack({ type: 2, nsp: '/', data: [name, payload], id }));
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      return bytes;
    });
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 4 }), async (frames) => {
      const { socket, send, closed } = await connect(server);
      for (const one of frames) socket.io.engine.send(one);
      await Promise.race([closed, send('job.state', { job })]);
      socket.disconnect();
      expect(await steady.request('job.state', { job })).toMatchObject({ ok: true });
    }),
    { numRuns },
  );
  await expectUnharmed(server, before);
}

/** Every route, as bytes on a connection of their own; then bytes that follow an upgrade to WebSocket. */
export async function fuzzHttp({ numRuns }: FuzzChoices): Promise<void> {
  await warmUp();
  const { server, hexes } = await start();
  const { token } = await openSession(server, A);
  const requests = httpRequests(hexes, [token]);
  // What generates the cases has tables of its own.
  fc.sample(requests, 500);
  const before = heapBytes();
  await fc.assert(
    fc.asyncProperty(requests, async (bytes) => {
      const answer = await exchange(server, bytes);
      // Nothing at all, or HTTP; never a failure of the coordinator's own.
      expect(answer).toMatch(/^($|HTTP\/1\.1 [1-4]\d\d )/);
    }),
    { numRuns },
  );
  const upgrade = [
    'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1',
    'host: x',
    'upgrade: websocket',
    'connection: upgrade',
    'sec-websocket-version: 13',
    `sec-websocket-key: ${randomBytes(16).toString('base64')}`,
    '\r\n',
  ].join('\r\n');
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
      await exchange(server, Buffer.concat([Buffer.from(upgrade), bytes]));
    }),
    { numRuns: Math.ceil(numRuns / 4) },
  );
  await expectUnharmed(server, before);
}

/** Sends bytes and the end of them, and waits until the server has ended its side too. Remembers nothing. */
function exchange({ url }: TestServer, bytes: Uint8Array): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connectTcp({ host: hostname, port: Number(port) }, () => socket.end(bytes));
  let answer = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    answer += chunk;
  });
  // A reset is one of the ways in which a server ends a connection.
  socket.on('error', () => {});
  return new Promise((resolve) => {
    socket.once('close', () => resolve(answer));
  });
}

/** Keeps one connection for as long as it lives. */
async function patient<T extends { readonly closed: Promise<string> }>(
  open: () => Promise<T>,
): Promise<() => Promise<T>> {
  let current: T | undefined;
  return async () => {
    if (current) return current;
    const opened = await open();
    void opened.closed.then(() => {
      current = undefined;
    });
    current = opened;
    return opened;
  };
}

/** What is left on the heap once the rest has been collected. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
