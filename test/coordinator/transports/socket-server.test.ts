import { describe, expect, it } from 'vitest';
import { recoverAddress, type Signer } from '../../../contracts/wallet.ts';
import type { JobEvent } from '../../../coordinator/round/events.ts';
import type { Collecting } from '../../../coordinator/round/state.ts';
import type { Hex } from '../../../shared/bytes.ts';
import { receiptDigest, type SignedReceipt } from '../../../shared/commitments/receipt.ts';
import { vectorBytes } from '../../../shared/commitments/vector-trees.ts';
import { type JobStateMessage, NOTICES, parseJobState, parseReply } from '../../../shared/protocol/messages.ts';
import {
  COORDINATOR,
  DOMAIN,
  hash,
  offerOf,
  STRANGER,
  signStatement,
  statementOf,
  updateOf,
  WALLETS,
} from '../fixture.ts';
import { contribute, until } from '../runner-harness.ts';
import {
  answerOf,
  askChallenge,
  connect,
  openSession,
  sendPart,
  signSession,
  startServer,
  type TestServer,
} from '../server-harness.ts';

const [A, B] = WALLETS as [Signer, Signer];

/** Opens a session and joins. */
async function joinAs(server: TestServer, signer: Signer) {
  const connection = await openSession(server, signer);
  const notices: JobStateMessage[] = [];
  connection.socket.on(NOTICES.jobState, (notice: unknown) => {
    const state = parseJobState(notice);
    if (!state) throw new Error(`not a job state: ${JSON.stringify(notice)}`);
    notices.push(state);
  });
  const { job } = server.world.job.terms;
  answerOf(await connection.request('job.join', { job }));
  return { ...connection, signer, notices };
}

/** Offers, uploads and submits over the wire. */
async function submitOverWire(server: TestServer, client: Awaited<ReturnType<typeof joinAs>>): Promise<SignedReceipt> {
  const { terms } = server.world.job;
  const { plan } = server.life.runner.state as Collecting;
  const update = updateOf(terms, client.signer.address, plan);
  const statement = statementOf(terms, plan, update);
  const { job, round, attempt } = statement;
  const offer = offerOf(vectorBytes(update));
  const { missing } = answerOf(await client.request('update.offer', { job, round, attempt, ...offer }));
  expect(missing).toEqual([0]);
  expect((await sendPart(server, { root: offer.updateRoot, token: client.token }, update)).status).toBe(204);
  const signature = signStatement(client.signer, statement);
  const reply = parseReply('update.submit', await client.request('update.submit', { statement, signature }));
  if (!reply?.ok) throw new Error(JSON.stringify(reply));
  return reply.answer.receipt;
}

describe('the handshake', () => {
  it('opens a session for whoever signs the challenge, and tells where the job is', async () => {
    const server = await startServer();
    const connection = await connect(server);
    const answer = answerOf(await askChallenge(connection, A.address, 'participant'));
    expect(answer).toEqual({
      ...{ challenge: answer['challenge'], coordinator: COORDINATOR.address, chainId: '31337' },
      ...{ anchor: DOMAIN.anchor, job: server.world.job.terms.job },
    });
    const signature = signSession(A, answer['challenge'] as Hex, 'participant');
    const { token } = answerOf(await connection.request('session.open', { signature }));
    expect(server.sessions.find(token as string)).toMatchObject({ address: A.address, role: 'participant' });
  });

  it.each<[string, (challenge: Hex) => Hex]>([
    ["another key's signature", (challenge) => signSession(B, challenge, 'participant')],
    ['a signature for another role', (challenge) => signSession(A, challenge, 'operator')],
    ['a signature for another coordinator', (challenge) => signSession(A, challenge, 'participant', B.address)],
    ['a signature over an older challenge', () => signSession(A, hash('older'), 'participant')],
    ['bytes that are no signature', () => `0x${'00'.repeat(65)}`],
  ])('refuses %s, and the challenge is spent', async (_name, sign) => {
    const connection = await connect(await startServer());
    const { challenge } = answerOf(await askChallenge(connection, A.address, 'participant'));
    const wrong = await connection.request('session.open', { signature: sign(challenge as Hex) });
    expect(wrong).toMatchObject({ ok: false, code: 'session/bad-signature' });
    const right = await connection.request('session.open', {
      signature: signSession(A, challenge as Hex, 'participant'),
    });
    expect(right).toMatchObject({ ok: false, code: 'session/no-challenge' });
  });

  it('gives every connection a challenge of its own, worth nothing on another', async () => {
    const server = await startServer();
    const [one, other] = [await connect(server), await connect(server)];
    const { challenge } = answerOf(await askChallenge(one, A.address, 'participant'));
    answerOf(await askChallenge(other, A.address, 'participant'));
    const stolen = await other.request('session.open', { signature: signSession(A, challenge as Hex, 'participant') });
    expect(stolen).toMatchObject({ ok: false, code: 'session/bad-signature' });
  });

  it('refuses those who are not admitted to a role', async () => {
    const connection = await connect(await startServer());
    for (const [address, role] of [
      [STRANGER.address, 'participant'],
      [A.address, 'operator'],
    ] as const) {
      expect(await askChallenge(connection, address, role)).toMatchObject({ ok: false, code: 'session/not-allowed' });
    }
  });

  it('refuses another version of the protocol, by name', async () => {
    const { send } = await connect(await startServer());
    const reply = await send('session.challenge', { protocol: 99, address: A.address, role: 'participant' });
    expect(reply).toMatchObject({ ok: false, code: 'request/invalid', message: expect.stringContaining('"protocol"') });
  });
});

describe('requests', () => {
  it('need a session, of the right role, and the right job', async () => {
    const server = await startServer();
    const { job } = server.world.job.terms;
    const nobody = await connect(server);
    for (const name of ['job.join', 'job.state', 'job.watch'] as const) {
      expect(await nobody.request(name, { job })).toMatchObject({ ok: false, code: 'session/not-open' });
    }
    const participant = await openSession(server, A);
    expect(await participant.request('job.watch', { job })).toMatchObject({ ok: false, code: 'session/wrong-role' });
    expect(await participant.request('job.join', { job: hash('x') })).toMatchObject({
      ok: false,
      code: 'request/wrong-job',
    });
    const operator = await openSession(server, COORDINATOR, 'operator');
    expect(await operator.request('job.join', { job })).toMatchObject({ ok: false, code: 'session/wrong-role' });
    expect(await operator.request('job.state', { job })).toMatchObject({ ok: true });
  });

  it('that nobody knows are said to be unknown', async () => {
    const { send } = await connect(await startServer());
    for (const name of ['job.destroy', 'toString', '__proto__', 'constructor', 'x'.repeat(1000)]) {
      expect(await send(name, {})).toMatchObject({ ok: false, code: 'request/unknown' });
    }
  });

  it.each<[string, unknown, string]>([
    ['job.join', { job: '0x12' }, 'field "job"'],
    ['job.join', {}, 'field "job"'],
    ['job.join', { job: hash('x'), more: 1 }, 'more'],
    ['job.join', null, 'job.join'],
    ['job.join', 'text', 'job.join'],
    ['session.challenge', { protocol: 1, address: A.address.toUpperCase(), role: 'participant' }, 'field "address"'],
    ['session.challenge', { protocol: 1, address: A.address, role: 'king' }, 'field "role"'],
    ['update.submit', { statement: { job: hash('x') }, signature: `0x${'00'.repeat(65)}` }, 'field "statement.round"'],
    [
      'update.offer',
      { job: hash('x'), round: 1, attempt: 0, updateRoot: hash('x'), byteLength: 1, partRoots: [hash('x'), '0x'] },
      'field "partRoots.1"',
    ],
    ['metrics.report', { round: 0.5 }, 'field "job"'],
  ])('%s %j are refused with the field named', async (name, payload, named) => {
    const { send } = await connect(await startServer());
    const reply = await send(name, payload);
    expect(reply).toMatchObject({ ok: false, code: 'request/invalid', message: expect.stringContaining(named) });
  });

  it('without an acknowledgement end the connection', async () => {
    const connection = await connect(await startServer());
    connection.socket.emit('job.state', {});
    expect(await connection.closed).toBe('io server disconnect');
  });

  it('beyond the size limit end the connection and nothing else', async () => {
    const server = await startServer();
    const [large, other] = [await connect(server), await openSession(server, A)];
    large.socket.emit('job.state', { job: 'x'.repeat(2 << 20) }, () => {});
    await large.closed;
    const { job } = server.world.job.terms;
    expect(await other.request('job.state', { job })).toMatchObject({ ok: true });
  });

  it('about a model that is not there yet are refused', async () => {
    const server = await startServer();
    const { job, manifest } = server.world.job.terms;
    const metrics = { job, modelRoot: manifest.initialModelRoot, correct: 1, total: 2, lossSum: 1, constantCorrect: 1 };
    const { request } = await openSession(server, A);
    expect(await request('metrics.report', { ...metrics, round: 1 })).toMatchObject({ code: 'request/wrong-model' });
    expect(await request('metrics.report', { ...metrics, round: 0 })).toEqual({ ok: true, answer: {} });
    expect(await request('metrics.report', { ...metrics, round: 0, correct: 2 })).toEqual({ ok: true, answer: {} });
    expect(server.life.runner.history.filter(({ type }) => type === 'metricsReported')).toHaveLength(1);
  });
});

describe('a round over the wire', () => {
  it('goes from joining to a closed job, everyone being told', async () => {
    const server = await startServer({ rounds: 1 });
    const clients = [];
    for (const signer of WALLETS) clients.push(await joinAs(server, signer));
    for (const client of clients) {
      const { signature, ...receipt } = await submitOverWire(server, client);
      expect(receipt).toMatchObject({ verdict: 'accepted', participant: client.signer.address });
      expect(recoverAddress(receiptDigest(DOMAIN, receipt), signature)).toBe(COORDINATOR.address);
    }
    await until(server.life, ({ phase }) => phase === 'closed');
    const { job } = server.world.job.terms;
    for (const { request, notices } of clients) {
      expect(answerOf(await request('job.state', { job }))['state']).toMatchObject({
        phase: 'closed',
        round: 1,
        plan: null,
      });
      // A notice sent before the reply has arrived before it.
      const phases = notices.map(({ phase }) => phase);
      expect([...new Set(phases)].filter((phase) => phase !== 'open')).toEqual([
        'collecting',
        'aggregating',
        'anchoring',
        'closed',
      ]);
      expect(notices.find(({ phase }) => phase === 'collecting')).toMatchObject({
        plan: { round: 1, attempt: 0, seedIndex: 1 },
        remainingMs: 60_000,
      });
    }
  });

  it('says before an upload that it would be refused', async () => {
    const server = await startServer();
    const clients = [];
    for (const signer of WALLETS) clients.push(await joinAs(server, signer));
    const [client] = clients as [(typeof clients)[0]];
    const { job } = server.world.job.terms;
    const offer = { job, round: 1, attempt: 0, ...offerOf(new Uint8Array(384)) };
    const { request } = client;
    expect(await request('update.offer', { ...offer, round: 2 })).toMatchObject({ code: 'gate/refused' });
    expect(await request('update.offer', { ...offer, ...offerOf(new Uint8Array(386)) })).toMatchObject({
      code: 'gate/wrong-length',
    });
    expect(await request('update.offer', { ...offer, partRoots: [hash('x')] })).toMatchObject({
      code: 'upload/root-mismatch',
    });
    expect(await request('update.offer', offer)).toEqual({ ok: true, answer: { missing: [0] } });
    await submitOverWire(server, client);
    expect(await request('update.offer', offer)).toMatchObject({
      code: 'gate/refused',
      message: expect.stringContaining('gate/duplicate'),
    });
  });

  it('goes on without one who declines', async () => {
    const server = await startServer({ rounds: 1 });
    const clients = [];
    for (const signer of WALLETS) clients.push(await joinAs(server, signer));
    const { job } = server.world.job.terms;
    const [first, ...others] = clients as [(typeof clients)[0]];
    const decline = { job, round: 1, attempt: 0, code: 'trainer/failed', message: 'out of memory' };
    expect(await first.request('round.decline', decline)).toEqual({ ok: true, answer: {} });
    for (const client of others) await submitOverWire(server, client);
    await until(server.life, ({ phase }) => phase === 'closed');
  });

  it('does not wait for ever for those who are connected and silent: the job ends with a reason', async () => {
    const server = await startServer({ participation: { deadlineMs: 20, retries: 2 } }, { now: Date.now });
    const clients = [];
    for (const signer of WALLETS) clients.push(await joinAs(server, signer));
    expect(await until(server.life, ({ phase }) => phase === 'failed')).toMatchObject({ code: 'round/quorum-missed' });
    const { job } = server.world.job.terms;
    const [{ request }] = clients as [(typeof clients)[0]];
    expect(answerOf(await request('job.state', { job }))['state']).toMatchObject({
      phase: 'failed',
      reason: expect.stringContaining('retries are spent'),
    });
  });
});

describe('watching', () => {
  it('gives an operator the whole history, then every event as it happens, once', async () => {
    const server = await startServer({ rounds: 1 });
    const { runner } = server.life;
    const { job } = server.world.job.terms;
    await runner.join(A.address);
    const { socket, request } = await openSession(server, COORDINATOR, 'operator');
    const seen: JobEvent[] = [];
    socket.on(NOTICES.jobEvent, (notice: { job: Hex; event: JobEvent }) => {
      expect(notice.job).toBe(job);
      seen.push(notice.event);
    });
    expect(await request('job.watch', { job })).toMatchObject({ ok: true });
    expect(await request('job.watch', { job })).toMatchObject({ ok: true });
    for (const { address } of WALLETS) await runner.join(address);
    const { plan } = runner.state as Collecting;
    for (const signer of WALLETS) await contribute(server.life, server.world, signer, { plan });
    await until(server.life, ({ phase }) => phase === 'closed');
    // The reply comes after all events that were sent before it.
    await request('job.state', { job });
    expect(seen).toEqual(runner.history);
  });
});

describe('when a connection ends', () => {
  it('its token opens nothing any more', async () => {
    const server = await startServer();
    const client = await joinAs(server, A);
    const root = hash('x');
    expect((await sendPart(server, { root, token: client.token }, new Uint8Array(384))).status).toBe(404);
    client.socket.disconnect();
    let status: number;
    do ({ status } = await sendPart(server, { root, token: client.token }, new Uint8Array(384)));
    while (status === 404);
    expect(status).toBe(401);
  });

  it('so does the token of a session that was replaced on the same connection', async () => {
    const server = await startServer();
    const connection = await openSession(server, A);
    const { challenge } = answerOf(await askChallenge(connection, B.address, 'participant'));
    const signature = signSession(B, challenge as Hex, 'participant');
    const { token } = answerOf(await connection.request('session.open', { signature }));
    expect(server.sessions.find(connection.token)).toBeUndefined();
    expect(server.sessions.find(token as string)).toMatchObject({ address: B.address });
  });
});

describe('two processes with one key', () => {
  it('the second is refused with the reason while the first one answers, and admitted when it has gone', async () => {
    const server = await startServer();
    const { job } = server.world.job.terms;
    const first = await openSession(server, A);
    expect(await first.request('job.join', { job })).toMatchObject({ ok: true });
    expect(await first.request('job.join', { job })).toMatchObject({ ok: true });
    const second = await openSession(server, A);
    expect(await second.request('job.join', { job })).toMatchObject({
      ok: false,
      code: 'session/already-connected',
      message: expect.stringContaining('give this one a key of its own'),
    });
    expect(first.socket.connected).toBe(true);
    first.socket.disconnect();
    let reply = await second.request('job.join', { job });
    while (!reply.ok && reply.code === 'session/already-connected') reply = await second.request('job.join', { job });
    expect(reply).toMatchObject({ ok: true });
  });
});
