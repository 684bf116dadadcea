import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import type { Signer } from '../../../contracts/wallet.ts';
import { OPERATIONS } from '../../../shared/protocol/messages.ts';
import { WALLETS } from '../fixture.ts';
import { connect, openSession, startServer } from '../server-harness.ts';

const packr = new Packr({ useRecords: false, moreTypes: false });

/** Names that mean something to an event emitter or to socket.io itself, besides those of the protocol. */
const NAMES = [
  ...[
    'error',
    'connect',
    'connection',
    'disconnect',
    'disconnecting',
    'connect_error',
    'newListener',
    'removeListener',
  ],
  ...['job.event', 'job.state.', '', '__proto__', ...Object.keys(OPERATIONS)],
];

const value = fc.oneof(
  fc.anything({ withBigInt: false, withMap: false, withSet: false, maxDepth: 3 }),
  fc.constantFrom({}, { job: '0x' }, [], null),
);
const packet = fc.record(
  {
    type: fc.oneof({ weight: 4, arbitrary: fc.constant(2) }, { weight: 1, arbitrary: fc.integer({ min: -1, max: 7 }) }),
    nsp: fc.oneof({ weight: 4, arbitrary: fc.constant('/') }, { weight: 1, arbitrary: fc.string() }),
    data: fc.oneof(
      { weight: 4, arbitrary: fc.tuple(fc.constantFrom(...NAMES), value) },
      { weight: 1, arbitrary: value },
    ),
    id: fc.oneof(fc.nat(10), value),
  },
  { requiredKeys: ['type', 'nsp'] },
);
const frame = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.string({ maxLength: 50 }),
  value.map((any) => packr.pack(any)),
  packet.map((one) => packr.pack(one)),
);

describe('the control plane under any frames', () => {
  it('answers or hangs up, and serves everyone else as before', async () => {
    const requestsPerSession = { perSecond: 1e6, burst: 1e6 };
    const server = await startServer({}, { network: { limits: { requestsPerSession } } });
    const { job } = server.world.job.terms;
    const steady = await openSession(server, WALLETS[0] as Signer);
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 4 }), async (frames) => {
        const { socket, send, closed } = await connect(server);
        const { engine } = socket.io;
        for (const one of frames) engine.send(typeof one === 'string' ? one : Uint8Array.from(one));
        // Frames are taken in order, so an answer to what follows them means that they have been dealt with.
        await Promise.race([closed, send('job.state', { job })]);
        socket.disconnect();
        expect(await steady.request('job.state', { job })).toMatchObject({ ok: true });
      }),
      { numRuns: 300 },
    );
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    expect(server.life.log.errors).toEqual([]);
    expect(server.life.runner.history).toEqual([]);
  }, 60_000);

  it.each(NAMES)('an event named "%s" without an acknowledgement leaves its sender, at most, alone', async (name) => {
    const server = await startServer();
    const { job } = server.world.job.terms;
    const sender = await openSession(server, WALLETS[1] as Signer);
    const other = await openSession(server, WALLETS[0] as Signer);
    sender.socket.io.engine.send(packr.pack({ type: 2, nsp: '/', data: [name, {}] }));
    await sender.closed;
    expect(await other.request('job.state', { job })).toMatchObject({ ok: true });
    expect(server.sessions.find(other.token)).toBeDefined();
  });
});
