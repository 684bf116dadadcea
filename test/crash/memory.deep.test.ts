import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openSession } from '../../client/transports/handshake.ts';
import { createSocketControl } from '../../client/transports/socket-control.ts';
import type { Hex } from '../../shared/bytes.ts';
import { PART_BYTES } from '../../shared/commitments/vector-trees.ts';
import { blobPath, partPath } from '../../shared/protocol/routes.ts';
import { usePlatformHashing } from '../../shared/runtime/platform-hashing.ts';
import { offerOf } from '../coordinator/fixture.ts';
import { PARTICIPANTS, type Party } from './crash-job.ts';
import { type Federation, openFederation } from './federation.ts';
import { publish } from './matrix-document.ts';
import { buildProgram, freePort, type Life, type Program } from './program.ts';
import { startCoordinator, stopCoordinator } from './scenario.ts';

const PARTS = 8;
const SLOW_READERS = 150;
/** Of each participant: two of its eight places stay free for what it sends in earnest. */
const STALLED_PARTS = 6;
const MIB = 2 ** 20;

let federation: Federation;
let program: Program;
let life: Life;
let port: number;
const sockets: Socket[] = [];
const closing: (() => void)[] = [];

/** The most memory that a process has had resident so far. */
async function peakBytes({ child }: Life): Promise<number> {
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

beforeAll(async () => {
  usePlatformHashing();
  [program, federation] = await Promise.all([buildProgram('coordinator-child.ts'), openFederation(1, PARTS)]);
  port = await freePort();
  life = startCoordinator(program, federation, await federation.freshScene(), port);
  await life.said('listening');
}, 120_000);

afterAll(async () => {
  for (const close of closing) close();
  for (const socket of sockets) socket.destroy();
  if (life) await stopCoordinator(life);
  await federation?.close();
  await program?.remove();
});

/** A connection that speaks HTTP by hand. */
async function raw(...lines: string[]): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  return socket;
}

/** Joins the job as one participant; returns the token of its session. */
async function join({ signer }: Party) {
  const control = createSocketControl({ url: `http://127.0.0.1:${port}` });
  closing.push(() => control.close());
  const connected = new Promise<void>((resolve) => control.onConnection((isConnected) => isConnected && resolve()));
  control.connect();
  await connected;
  const token = await openSession(control, signer, 'participant', await federation.ledger.facts());
  const { job } = federation.terms;
  const { state } = await control.request('job.join', { job });
  return { control, token, state };
}

/** Sends a part until it is taken; a coordinator whose hands are full asks for patience. */
async function sendPart(token: string, root: Hex, part: number, bytes: Uint8Array): Promise<void> {
  for (;;) {
    const { status } = await fetch(`http://127.0.0.1:${port}${partPath(federation.terms.job, root, part)}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream' },
      body: Uint8Array.from(bytes.subarray(part * PART_BYTES, (part + 1) * PART_BYTES)),
    });
    if (status === 204) return;
    expect(status).toBe(429);
  }
}

it.skipIf(process.platform !== 'linux')(
  'a coordinator stays within its memory when many read slowly, many stall in the middle of a part, and many upload',
  async () => {
    const { job, manifest, layout } = federation.terms;
    const before = await peakBytes(life);
    const model = blobPath(job, manifest.initialModelRoot);
    // Together they ask for a hundred and fifty models, of which none reads more than what the sockets hold.
    for (let reader = 0; reader < SLOW_READERS; reader++) {
      const socket = await raw(`GET ${model} HTTP/1.1`, 'host: x');
      socket.pause();
    }
    const sessions = [];
    for (const party of PARTICIPANTS) sessions.push(await join(party));
    const updates = sessions.map((_, index) => {
      const bytes = new Uint8Array(layout.dimension * 2).fill(index + 1);
      return { bytes, ...offerOf(bytes) };
    });
    for (const [index, { control }] of sessions.entries()) {
      const { updateRoot, byteLength, partRoots } = updates[index] as (typeof updates)[0];
      const { missing } = await control.request('update.offer', {
        ...{ job, round: 1, attempt: 0, updateRoot, byteLength, partRoots },
      });
      expect(missing).toHaveLength(PARTS);
    }
    for (const [index, { token }] of sessions.entries()) {
      for (let stalled = 0; stalled < STALLED_PARTS; stalled++) {
        const socket = await raw(
          `PUT ${partPath(job, (updates[index] as (typeof updates)[0]).updateRoot, stalled)} HTTP/1.1`,
          ...['host: x', 'content-type: application/octet-stream', `content-length: ${PART_BYTES}`],
          `authorization: Bearer ${token}`,
        );
        socket.write(new Uint8Array(PART_BYTES - 1));
      }
    }
    await Promise.all(
      sessions.flatMap(({ token }, index) =>
        Array.from({ length: PARTS }, (_, part) => {
          const { updateRoot, bytes } = updates[index] as (typeof updates)[0];
          return sendPart(token, updateRoot, part, bytes);
        }),
      ),
    );
    const growth = (await peakBytes(life)) - before;
    const parts = sessions.length * (STALLED_PARTS + PARTS);
    const asked = SLOW_READERS * layout.dimension * 4 + parts * PART_BYTES;
    expect(asked).toBeGreaterThan(2048 * MIB);
    expect(growth / MIB).toBeLessThan(256);
    const injected =
      `${SLOW_READERS} readers of a model of ${Math.round((layout.dimension * 4) / MIB)} MiB that do not read, ` +
      `${sessions.length * STALLED_PARTS} parts that stall before their last byte, ${sessions.length * PARTS} parts in earnest`;
    const cells = [`${Math.round(asked / MIB)} MiB`, `${Math.round(growth / MIB)} MiB`];
    await publish('memory', ['at once', 'asked for in all', 'resident memory grew by'], [{ injected, cells }]);
  },
  120_000,
);
