import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ControlTransport } from '../../../client/transports/control-transport.ts';
import { createSocketControl } from '../../../client/transports/socket-control.ts';
import { NOTICES } from '../../../shared/protocol/messages.ts';
import { Decoder, Encoder } from '../../../shared/protocol/parser.ts';
import { deferred } from '../deferred.ts';

const JOB = `0x${'0b'.repeat(32)}` as const;
const STATE = {
  job: JOB,
  phase: 'open',
  round: 0,
  modelRoot: `0x${'0c'.repeat(32)}`,
  plan: null,
  remainingMs: null,
  reason: null,
} as const;

let io: Server;
let url: string;
let control: ControlTransport;
let answer: (name: string, payload: unknown, acknowledge: (reply: unknown) => void, socket: Socket) => void;
let connections: Socket[];
beforeEach(async () => {
  connections = [];
  const http = createServer();
  io = new Server(http, { parser: { Encoder, Decoder }, serveClient: false, transports: ['websocket'] });
  io.on('connection', (socket) => {
    connections.push(socket);
    socket.onAny((name, payload, acknowledge) => answer(name, payload, acknowledge, socket));
  });
  await new Promise<void>((resolve) => {
    http.listen(0, '127.0.0.1', resolve);
  });
  url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  control = createSocketControl({ url, reconnectDelayMs: 1, mostReconnectDelayMs: 2 });
});
afterEach(async () => {
  control.close();
  await io.close();
});

/** Resolves at the next change of the connection to this. */
function connection(isWanted: boolean): Promise<string> {
  const done = deferred<string>();
  control.onConnection((isConnected, reason) => {
    if (isConnected === isWanted) done.resolve(reason);
  });
  return done.promise;
}

async function connect(): Promise<void> {
  const up = connection(true);
  control.connect();
  await up;
}

describe('createSocketControl', () => {
  it('carries a request and its answer', async () => {
    const asked: unknown[] = [];
    answer = (name, payload, acknowledge) => {
      asked.push([name, payload]);
      acknowledge({ ok: true, answer: { state: STATE } });
    };
    await connect();
    expect(await control.request('job.state', { job: JOB })).toEqual({ state: STATE });
    expect(asked).toEqual([['job.state', { job: JOB }]]);
  });

  it('throws the coordinator’s code when refused', async () => {
    answer = (_name, _payload, acknowledge) => acknowledge({ ok: false, code: 'session/not-open', message: 'no' });
    await connect();
    await expect(control.request('job.state', { job: JOB })).rejects.toMatchObject({
      name: 'ProtocolError',
      code: 'session/not-open',
      message: 'no',
    });
  });

  it('waits and asks again when it is told that it asks too much', async () => {
    let asked = 0;
    answer = (_name, _payload, acknowledge) => {
      asked++;
      acknowledge(
        asked === 1
          ? { ok: false, code: 'request/too-many', message: 'too many requests' }
          : { ok: true, answer: { state: STATE } },
      );
    };
    await connect();
    expect(await control.request('job.state', { job: JOB })).toEqual({ state: STATE });
    expect(asked).toBe(2);
  });

  it.each([
    ['nothing', undefined],
    ['no reply', { state: STATE }],
    ['an answer of another form', { ok: true, answer: { state: { ...STATE, phase: 'paused' } } }],
    ['an answer with more members', { ok: true, answer: { state: STATE, extra: 1 } }],
  ])('refuses %s as an answer', async (_, reply) => {
    answer = (_name, _payload, acknowledge) => acknowledge(reply);
    await connect();
    await expect(control.request('job.state', { job: JOB })).rejects.toMatchObject({ code: 'transport/bad-reply' });
  });

  it('times out when there is no answer', async () => {
    answer = () => {};
    control = createSocketControl({ url, requestTimeoutMs: 20 });
    await connect();
    await expect(control.request('job.state', { job: JOB })).rejects.toMatchObject({ code: 'transport/timeout' });
  });

  it('fails a request at once when the connection is lost, and sends nothing later in its place', async () => {
    let asked = 0;
    answer = (_name, _payload, _acknowledge, socket) => {
      asked++;
      socket.conn.close();
    };
    await connect();
    const again = connection(true);
    await expect(control.request('job.state', { job: JOB })).rejects.toMatchObject({ code: 'transport/disconnected' });
    await expect(control.request('job.state', { job: JOB })).rejects.toMatchObject({ code: 'transport/disconnected' });
    await again;
    expect(asked).toBe(1);
  });

  it.each([
    ['the network fails', (socket: Socket) => socket.conn.close()],
    ['the coordinator ends the connection', (socket: Socket) => socket.disconnect(true)],
    ['the coordinator ends the session', (socket: Socket) => socket.disconnect()],
  ])('connects again by itself when %s', async (_, breakOff) => {
    await connect();
    const again = connection(true);
    const lost = connection(false);
    breakOff(connections[0] as Socket);
    expect(await lost).not.toBe('');
    await again;
    expect(connections).toHaveLength(2);
  });

  it('connects again when asked to', async () => {
    await connect();
    const again = connection(true);
    control.reconnect(1);
    await again;
    expect(connections).toHaveLength(2);
  });

  it('passes on notices of where the job stands, but nothing malformed', async () => {
    const states: unknown[] = [];
    const last = deferred<void>();
    control.onState((state) => {
      states.push(state);
      if (state.round === 2) last.resolve();
    });
    await connect();
    const socket = connections[0] as Socket;
    for (const notice of [STATE, { ...STATE, round: -1 }, 'collecting', null, { ...STATE, round: 2 }]) {
      socket.emit(NOTICES.jobState, notice);
    }
    await last.promise;
    expect(states).toEqual([STATE, { ...STATE, round: 2 }]);
  });

  it('survives bytes that are no packet by connecting again', async () => {
    await connect();
    const again = connection(true);
    const { conn } = connections[0] as Socket;
    conn.write(Buffer.from([0xc1, 0xff]));
    await again;
    expect(connections).toHaveLength(2);
  });

  it('does not come back after it was closed', async () => {
    await connect();
    const gone = deferred<void>();
    connections[0]?.on('disconnect', () => gone.resolve());
    control.close();
    await gone.promise;
    await expect(control.request('job.state', { job: JOB })).rejects.toMatchObject({ code: 'transport/disconnected' });
    expect(connections).toHaveLength(1);
  });
});
