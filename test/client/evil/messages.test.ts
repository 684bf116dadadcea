import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Packr } from 'msgpackr';
import { Server } from 'socket.io';
import { afterEach, describe, expect, it } from 'vitest';
import { createSocketControl } from '../../../client/transports/socket-control.ts';
import { Decoder, Encoder } from '../../../shared/protocol/parser.ts';
import { createToyJob } from '../toy-job.ts';
import { startVictim, type Victim } from './victim.ts';

let victim: Victim | undefined;
afterEach(async () => {
  await victim?.close();
  victim = undefined;
});

const packr = new Packr({ useRecords: false });

/** The wire itself, below socket.io: a WebSocket. */
interface Wire {
  readonly readyState: number;
  send(data: Uint8Array, options?: { readonly fin: boolean }, done?: () => void): void;
  close(): void;
}
const OPEN = 1;

/** A server that speaks socket.io as far as the connection, and then sends whatever it likes. */
async function startRawServer(onPeer: (socket: Wire) => void) {
  const http = createServer();
  const io = new Server(http, { parser: { Encoder, Decoder }, serveClient: false, transports: ['websocket'] });
  io.on('connection', (socket) => onPeer((socket.conn.transport as unknown as { readonly socket: Wire }).socket));
  await new Promise<void>((resolve) => {
    http.listen(0, '127.0.0.1', resolve);
  });
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, close: () => io.close() };
}

/** What the client's end of a connection comes to. */
async function fate(onPeer: (socket: Wire) => void): Promise<{ readonly lost: string; readonly notices: number }> {
  const server = await startRawServer(onPeer);
  const control = createSocketControl({ url: server.url, reconnectDelayMs: 60_000, mostReconnectDelayMs: 60_000 });
  let notices = 0;
  control.onState(() => {
    notices++;
  });
  const lost = new Promise<string>((resolve) => {
    control.onConnection((isConnected, reason) => {
      if (!isConnected) resolve(reason);
    });
  });
  control.connect();
  try {
    return { lost: await lost, notices };
  } finally {
    control.close();
    await server.close();
  }
}

const notice = (data: unknown) => packr.pack({ type: 2, nsp: '/', data: ['job.state', data] });

describe('a coordinator that lies in what it says', () => {
  it('sends a message beyond all measure: the connection ends, no more', async () => {
    const { lost, notices } = await fate((socket) => {
      socket.send(notice({ filler: 'x'.repeat(4 * 2 ** 20) }));
    });
    expect(lost).toMatch(/transport|closed/);
    expect(notices).toBe(0);
  });

  it('sends a message that never ends: its pieces are not gathered for ever', async () => {
    let sent = 0;
    const { lost } = await fate((socket) => {
      const more = (): void => {
        if (socket.readyState !== OPEN) return;
        sent += 65_536;
        socket.send(new Uint8Array(65_536), { fin: false }, () => setImmediate(more));
      };
      more();
    });
    expect(lost).toMatch(/transport|closed/);
    expect(sent).toBeLessThan(16 * 2 ** 20);
  });

  it.each([
    ['nests without end', new Uint8Array(200_000).fill(0x91)],
    ['counts more than there is', Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff)],
    ['carries an extension', Uint8Array.of(0xc7, 0x01, 0x65, 0x00)],
    ['claims a string of four gigabytes', Uint8Array.of(0xdb, 0xff, 0xff, 0xff, 0xff)],
  ])('sends a packet that %s', async (_, bytes) => {
    const { lost } = await fate((socket) => {
      socket.send(bytes);
    });
    expect(lost).toMatch(/parse error|transport/);
  });

  it('reaches for the prototype of everything: it is not listened to, and the next word is', async () => {
    const { terms: job, models } = createToyJob();
    const state = { job: job.job, phase: 'open', round: 0, modelRoot: models[0]?.root, plan: null, remainingMs: null };
    const reach = (key: string) =>
      notice(new Map<string, unknown>([...Object.entries(state), [key, { polluted: true }]]));
    const { notices } = await fate((socket) => {
      for (const key of ['__proto__', 'constructor', 'toString']) socket.send(reach(key));
      socket.send(notice({ ...state, reason: null }));
      setTimeout(() => socket.close(), 50);
    });
    expect(notices).toBe(1);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('says what has not the form of a state: it is not listened to', async () => {
    victim = await startVictim();
    const { coordinator, job } = victim;
    await coordinator.answered('job.join', 1);
    coordinator.say({ phase: 'collecting', plan: { ...job.plan(1), round: -1 } });
    coordinator.say({ phase: 'collecting', plan: { ...job.plan(1), updateBits: 1e9 } });
    coordinator.say({ phase: 'closed', modelRoot: '../../etc/passwd' as '0x', plan: null });
    coordinator.say({ phase: 'open', modelRoot: job.models[0]?.root as '0x' });
    await victim.answersHonestly(0);
    expect(coordinator.payloads('round.decline')).toEqual([]);
  });

  it('goes back to a round that is over', async () => {
    victim = await startVictim();
    const { coordinator, job } = victim;
    await coordinator.answered('job.join', 1);
    coordinator.open(job.plan(2));
    await victim.says('update accepted');
    coordinator.open(job.plan(1));
    await coordinator.answered('round.decline', 1);
    expect(coordinator.payloads('round.decline')).toMatchObject([{ round: 1, code: 'session/round-backwards' }]);
    // A later attempt is how a job goes back by right.
    coordinator.open(job.plan(1, 1));
    await coordinator.answered('update.submit', 2);
    expect(coordinator.payloads('update.submit').map(({ statement }) => [statement.attempt, statement.round])).toEqual([
      [0, 2],
      [1, 1],
    ]);
  });

  it('opens a round beyond the last, and one from another model', async () => {
    victim = await startVictim();
    const { coordinator, job } = victim;
    await coordinator.answered('job.join', 1);
    coordinator.open({ ...job.plan(1), round: 77, parentRoot: job.models[0]?.root as '0x' });
    await coordinator.answered('round.decline', 1);
    coordinator.open({ ...job.plan(1, 1), parentRoot: job.models[2]?.root as '0x' });
    await coordinator.answered('round.decline', 2);
    expect(coordinator.payloads('round.decline').map(({ code }) => code)).toEqual([
      'session/plan-mismatch',
      'session/plan-mismatch',
    ]);
    expect(victim.trainer.tasks).toEqual([]);
    await victim.answersHonestly(2);
  });
});
