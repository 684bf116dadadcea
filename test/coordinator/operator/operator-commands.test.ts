import { describe, expect, it } from 'vitest';
import { openOperatorClient } from '../../../coordinator/operator/operator-client.ts';
import type { Hex } from '../../../shared/bytes.ts';
import { COORDINATOR, STRANGER, WALLETS } from '../fixture.ts';
import { contribute, until } from '../runner-harness.ts';
import { askChallenge, connect, openSession, startServer, type TestServer } from '../server-harness.ts';

const [FIRST, SECOND, THIRD, FOURTH] = WALLETS as [
  (typeof WALLETS)[number],
  (typeof WALLETS)[number],
  (typeof WALLETS)[number],
  (typeof WALLETS)[number],
];

async function operate({ url, world }: TestServer) {
  const client = await openOperatorClient({ url, coordinator: COORDINATOR.address }, COORDINATOR);
  const { job } = world.job.terms;
  const act = (action: 'start' | 'pause' | 'resume' | 'stop', of: Hex = job) =>
    client.request('operator.act', { job: of, action, reason: 'because' });
  const judge = (action: 'ban' | 'allow', participant: Hex) =>
    client.request('operator.participant', { job, participant, action, reason: 'because' });
  return { client, job, act, judge };
}

const everybodyJoins = async ({ life }: Pick<TestServer, 'life'>): Promise<void> => {
  for (const { address } of WALLETS) await life.runner.join(address);
};

describe('an operator', () => {
  it('lists jobs and sees one in full, with rounds and participants', async () => {
    const server = await startServer();
    await using _ = { [Symbol.asyncDispose]: async () => client.close() };
    const { client, job } = await operate(server);
    await everybodyJoins(server);
    for (const signer of WALLETS) await contribute(server.life, server.world, signer);
    await until(server.life, ({ progress }) => progress.rounds === 1);
    const { jobs } = await client.request('operator.jobs', { which: 'all' });
    expect(jobs).toMatchObject([{ job, name: 'test job', phase: 'collecting', round: 1, rounds: 3, present: 4 }]);
    const detail = (await client.request('operator.job', { job })).job;
    expect(detail.history).toMatchObject([{ round: 1, accepted: 4, gasUsed: '21000' }]);
    expect(detail.history[0]?.modelRoot).toBe(detail.modelRoot);
    expect(detail.participants.map(({ address, accepted }) => [address, accepted])).toEqual(
      WALLETS.map(({ address }) => [address, 1]),
    );
  });

  it('pauses a job: the open round is finished, the next one opens when the job is resumed', async () => {
    const server = await startServer();
    const { client, act } = await operate(server);
    await everybodyJoins(server);
    expect(await act('pause')).toMatchObject({ changed: true, job: { phase: 'collecting', paused: true } });
    expect((await act('pause')).changed).toBe(false);
    for (const signer of WALLETS) await contribute(server.life, server.world, signer);
    const state = await until(server.life, ({ phase, progress }) => phase === 'open' && progress.rounds === 1);
    expect(state.progress.paused).toEqual({ by: COORDINATOR.address, reason: 'because' });
    expect(await act('resume')).toMatchObject({ changed: true, job: { phase: 'collecting', paused: false } });
    client.close();
  });

  it('stops a job, which keeps the rounds it has and takes no further act', async () => {
    const server = await startServer();
    const { client, act } = await operate(server);
    await everybodyJoins(server);
    const { job } = await act('stop');
    expect(job).toMatchObject({ phase: 'failed', round: 0 });
    expect(job.reason).toContain('stopped the job after 0 rounds: because');
    await expect(act('resume')).rejects.toMatchObject({ code: 'operator/job-over' });
    client.close();
  });

  it('bans a participant: its session ends, nobody waits for it, and it comes back only when it is allowed', async () => {
    const server = await startServer();
    const { client, judge } = await operate(server);
    await everybodyJoins(server);
    const banned = await openSession(server, FOURTH);
    for (const signer of [FIRST, SECOND, THIRD]) await contribute(server.life, server.world, signer);
    expect(server.life.runner.state.phase).toBe('collecting');
    expect((await judge('ban', FOURTH.address)).changed).toBe(true);
    // The other three were all that the round still waited for.
    await until(server.life, ({ progress }) => progress.rounds === 1);
    expect(server.sessions.find(banned.token)).toBeUndefined();
    expect(await banned.request('job.state', { job: banned.job })).toMatchObject({ code: 'session/not-allowed' });
    const again = await connect(server);
    expect(await askChallenge(again, FOURTH.address, 'participant')).toMatchObject({ code: 'session/not-allowed' });
    expect(server.life.runner.state.progress.present).toHaveLength(3);
    expect(await contribute(server.life, server.world, FOURTH)).toMatchObject({ code: 'gate/banned' });
    expect((await judge('allow', FOURTH.address)).changed).toBe(true);
    expect(await askChallenge(again, FOURTH.address, 'participant')).toMatchObject({ ok: true });
    client.close();
  });

  it('cannot ban whom the manifest does not admit, nor act on a job that is not there', async () => {
    const server = await startServer();
    const { client, judge, act } = await operate(server);
    await expect(judge('ban', STRANGER.address)).rejects.toMatchObject({ code: 'operator/not-admitted' });
    await expect(act('pause', `0x${'00'.repeat(32)}`)).rejects.toMatchObject({ code: 'operator/not-started' });
    client.close();
  });

  it('watches a job and ends with it', async () => {
    const server = await startServer({ rounds: 1 });
    const { client, job } = await operate(server);
    const events: string[] = [];
    const watched = client.watch(job, {
      onEvent: ({ type }) => events.push(type),
      onState: ({ phase }) => {
        if (phase === 'closed') void client.request('job.state', { job }).finally(() => client.close());
      },
    });
    await everybodyJoins(server);
    for (const signer of WALLETS) await contribute(server.life, server.world, signer);
    await watched;
    expect(events.filter((type) => type === 'updateAccepted')).toHaveLength(4);
    expect(events.at(-1)).toBe('roundAnchored');
  });
});

describe('nobody else', () => {
  it('may operate', async () => {
    const server = await startServer();
    const target = { url: server.url, coordinator: COORDINATOR.address };
    await expect(openOperatorClient(target, STRANGER)).rejects.toMatchObject({ code: 'session/not-allowed' });
    const participant = await openSession(server, FIRST);
    const { job } = participant;
    for (const reply of [
      await participant.request('operator.jobs', { which: 'all' }),
      await participant.request('operator.job', { job }),
      await participant.request('operator.act', { job, action: 'stop', reason: '' }),
      await participant.request('operator.participant', {
        job,
        participant: SECOND.address,
        action: 'ban',
        reason: '',
      }),
    ]) {
      expect(reply).toMatchObject({ ok: false, code: 'session/wrong-role' });
    }
    expect(server.life.runner.state.phase).toBe('open');
  });

  it('is taken for the coordinator that was meant', async () => {
    const server = await startServer();
    const target = { url: server.url, coordinator: STRANGER.address };
    await expect(openOperatorClient(target, COORDINATOR)).rejects.toMatchObject({ code: 'operator/wrong-coordinator' });
    const nowhere = { url: 'http://127.0.0.1:1', coordinator: COORDINATOR.address };
    await expect(openOperatorClient(nowhere, COORDINATOR)).rejects.toMatchObject({ code: 'operator/unreachable' });
  });
});

describe('several jobs in one coordinator', () => {
  it.each(['is paused', 'is stopped', 'fails'] as const)('one %s, the other completes untouched', async (fate) => {
    const server = await startServer({ rounds: 2 }, { neighbours: [{ rounds: 3, participation: { retries: 0 } }] });
    const [neighbour] = server.neighbours;
    if (!neighbour) throw new Error('there is no second job');
    const other = neighbour.world.job.terms.job;
    const { client, act } = await operate(server);
    await everybodyJoins(neighbour);
    if (fate === 'is paused') await act('pause', other);
    if (fate === 'is stopped') await act('stop', other);
    if (fate === 'fails') {
      for (const { address: participant } of WALLETS) {
        await neighbour.life.runner.decline({ participant, round: 1, attempt: 0, code: 'x', message: 'y' });
      }
    }
    await everybodyJoins(server);
    for (const round of [1, 2]) {
      for (const signer of WALLETS) await contribute(server.life, server.world, signer);
      await until(server.life, ({ phase, progress }) => progress.rounds === round && phase !== 'anchoring');
    }
    expect(server.life.runner.state.phase).toBe('closed');
    expect(server.world.anchorings).toHaveLength(2);
    const { jobs } = await client.request('operator.jobs', { which: 'all' });
    const theOther = jobs.find(({ job }) => job === other);
    expect(theOther).toMatchObject({
      phase: fate === 'is paused' ? 'collecting' : 'failed',
      paused: fate === 'is paused',
      round: 0,
    });
    expect(neighbour.world.anchorings).toHaveLength(0);
    client.close();
  });

  it('one is flooded with refused submissions, the other completes untouched', async () => {
    const server = await startServer({ rounds: 1 }, { neighbours: [{ rounds: 3 }] });
    const [neighbour] = server.neighbours;
    if (!neighbour) throw new Error('there is no second job');
    await everybodyJoins(neighbour);
    await everybodyJoins(server);
    const { state } = neighbour.life.runner;
    if (state.phase !== 'collecting') throw new Error('the second job has no open round');
    const flood = Array.from({ length: 200 }, () =>
      contribute(neighbour.life, neighbour.world, FIRST, state, { samples: 0 }),
    );
    for (const signer of WALLETS) await contribute(server.life, server.world, signer);
    await until(server.life, ({ phase }) => phase === 'closed');
    await Promise.allSettled(flood);
    expect(server.world.anchorings).toHaveLength(1);
    expect(neighbour.life.runner.state.progress.rounds).toBe(0);
  });
});
