import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { recoverAddress, type Signer } from '../../contracts/wallet.ts';
import type { Collecting } from '../../coordinator/round/state.ts';
import { receiptDigest } from '../../shared/commitments/receipt.ts';
import { recordToJson } from '../../shared/commitments/record.ts';
import { createRng } from '../../shared/rng.ts';
import { isSeedOf } from '../../shared/round/plan.ts';
import { COORDINATOR, DOMAIN, hash, STRANGER, WALLETS } from './fixture.ts';
import {
  anchorIn,
  collecting,
  contribute,
  createWorld,
  logOf,
  playToTheEnd,
  recompute,
  startLife,
  until,
} from './runner-harness.ts';

const [A, B, C, D] = WALLETS as [Signer, Signer, Signer, Signer];

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .sort();
}

describe('a job', () => {
  it('goes through its rounds to the records that the round function alone gives', async () => {
    const world = await createWorld();
    const life = await startLife(world);
    const end = await playToTheEnd(life, world);
    const expected = await recompute(world.job);
    expect(end).toMatchObject({ phase: 'closed', progress: { rounds: 3, modelRoot: expected[2]?.modelRoot } });
    expect(world.anchorings.map(recordToJson)).toEqual(expected.map(recordToJson));
    for (const { seed, seedIndex } of world.anchorings) {
      expect(isSeedOf(world.job.terms.manifest.seedCommitment, seedIndex, seed)).toBe(true);
    }
    for (const { modelRoot, aggregateRoot, location } of world.anchorings) {
      for (const id of [modelRoot, aggregateRoot, location]) expect(await world.blobs.size(id)).toBeGreaterThan(0);
    }
    expect(life.log).toMatchObject({ warnings: [], errors: [] });
  });

  it('has the same records in whatever order updates arrive', async () => {
    const rng = createRng(3);
    const shuffled = (round: number) =>
      round === 0
        ? WALLETS
        : [...WALLETS]
            .map((signer) => ({ signer, key: rng.nextUint32() }))
            .sort((a, b) => a.key - b.key)
            .map(({ signer }) => signer);
    const world = await createWorld();
    await playToTheEnd(await startLife(world), world, shuffled);
    expect(world.anchorings.map(recordToJson)).toEqual((await recompute(world.job)).map(recordToJson));
  });

  it('takes submissions that all arrive at once', async () => {
    const world = await createWorld({ rounds: 1 });
    const life = await collecting(world);
    const receipts = await Promise.all(WALLETS.map((signer) => contribute(life, world, signer, life)));
    expect(receipts.map(({ verdict }) => verdict)).toEqual(['accepted', 'accepted', 'accepted', 'accepted']);
    await until(life, ({ phase }) => phase === 'closed');
  });

  it('goes on although one participant declines every round', async () => {
    const world = await createWorld({ participation: { retries: 0 } });
    const life = await collecting(world);
    for (let round = 1; round <= 3; round++) {
      const state = (await until(life, (now) => now.phase === 'collecting' && now.plan.round === round)) as Collecting;
      await life.runner.decline({
        participant: B.address,
        round,
        attempt: 0,
        code: 'trainer/failed',
        message: 'no memory',
      });
      for (const signer of [A, C, D]) await contribute(life, world, signer, state);
    }
    await until(life, ({ phase }) => phase === 'closed');
    expect(world.anchorings.map(({ participants }) => participants)).toEqual([3, 3, 3]);
  });

  it('ends with the reason of the rule when so few updates cannot be aggregated', async () => {
    const world = await createWorld({ participation: { expected: 2, quorum: 2 } });
    const life = await startLife(world);
    for (const { address } of [A, B]) await life.runner.join(address);
    for (const signer of [A, B]) await contribute(life, world, signer);
    expect(await until(life, ({ phase }) => phase === 'failed')).toMatchObject({ code: 'rule/too-many-faulty' });
  });

  it('survives a listener that throws', async () => {
    const world = await createWorld({ rounds: 1 });
    const life = await startLife(world);
    life.runner.subscribe(() => {
      throw new Error('a listener of the test');
    });
    expect((await playToTheEnd(life, world)).phase).toBe('closed');
    expect(life.log.errors.length).toBeGreaterThan(0);
  });
});

describe('submissions', () => {
  it('get the identical receipt again, in the round and long after it', async () => {
    const world = await createWorld({ rounds: 2 });
    const life = await collecting(world);
    const first = await contribute(life, world, A, life);
    expect(first.verdict).toBe('accepted');
    const { signature, ...receipt } = first;
    expect(recoverAddress(receiptDigest(DOMAIN, receipt), signature)).toBe(COORDINATOR.address);
    expect(await contribute(life, world, A, life)).toEqual(first);
    for (const signer of [B, C, D]) await contribute(life, world, signer, life);
    await until(life, (state) => state.phase === 'collecting' && state.plan.round === 2);
    const events = (await logOf(world)).length;
    expect(await contribute(life, world, A, life)).toEqual(first);
    expect(await logOf(world)).toHaveLength(events);
  });

  it('that are refused leave nothing behind: no blob, no upload', async () => {
    const world = await createWorld();
    const life = await collecting(world);
    const before = await filesIn(world.blobs.folder);
    const refusals: [Partial<Parameters<typeof contribute>[4]>, string][] = [
      [{ samples: 0 }, 'gate/no-samples'],
      [{ parentRoot: hash('x') }, 'gate/wrong-parent'],
      [{ largestMagnitude: 8000 }, 'gate/wrong-magnitude'],
      [{ round: 2 }, 'gate/wrong-round'],
      [{ job: hash('x') }, 'gate/wrong-job'],
    ];
    for (const [restate, code] of refusals) {
      const { signature, ...receipt } = await contribute(life, world, A, life, restate);
      expect(receipt).toMatchObject({ verdict: 'rejected', code });
      expect(recoverAddress(receiptDigest(DOMAIN, receipt), signature)).toBe(COORDINATOR.address);
      expect(await filesIn(world.blobs.folder)).toEqual(before);
      expect(await life.uploads.hasPart(A.address, receipt.updateRoot, 0)).toBe(false);
    }
    expect(await contribute(life, world, A, life)).toMatchObject({ verdict: 'accepted' });
  });

  it('that come after the round are late, and make their sender expected again', async () => {
    const world = await createWorld({ participation: { deadlineMs: 30 } });
    const life = await collecting(world, { now: Date.now });
    const past = life.plan;
    // Nobody answers: at the deadline nobody is waited for any longer, and the job is open.
    await until(life, ({ phase }) => phase === 'open');
    expect(life.runner.state.progress).toMatchObject({ attempt: 1, present: [] });
    expect(await contribute(life, world, A, { plan: past })).toMatchObject({ verdict: 'late', code: 'gate/late' });
    await life.runner.decline({ participant: B.address, ...past, code: 'trainer/failed', message: '' });
    expect(life.runner.state.progress.present).toEqual([A.address, B.address]);
    await contribute(life, world, C, { plan: past });
    await until(life, (state) => state.phase === 'collecting' && state.plan.attempt === 1);
  });

  it('cannot flood the log, whatever rounds they name', async () => {
    const world = await createWorld();
    const life = await collecting(world);
    const before = (await logOf(world)).length;
    for (let round = 5; round < 40; round++) {
      expect(await contribute(life, world, A, life, { round })).toMatchObject({ code: 'gate/wrong-round' });
      await life.runner.decline({ participant: A.address, round, attempt: 0, code: 'x', message: '' });
    }
    expect((await logOf(world)).length - before).toBe(8);
    // The one answer that counts is in the log all the same.
    await contribute(life, world, A, life, { samples: 0 });
    expect(life.runner.state).toMatchObject({ answers: { [A.address]: { verdict: 'refused' } } });
    for (let again = 0; again < 5; again++) {
      await life.runner.decline({ participant: B.address, ...life.plan, code: 'x', message: '' });
    }
    expect((await logOf(world)).length - before).toBe(10);
  });

  it('take the place of uploads that never ended: a round that is over frees everyone’s quota', async () => {
    const world = await createWorld({ participation: { deadlineMs: 30, quorum: 1, retries: 5 } });
    const life = await collecting(world, { now: Date.now });
    const offers = [1, 2, 3].map((byte) => ({
      updateRoot: hash(`${byte}`),
      byteLength: 384,
      partRoots: [hash(`${byte}`)],
    }));
    for (const offer of offers.slice(0, 2)) await life.uploads.offer(A.address, offer);
    await until(life, ({ progress }) => progress.attempt > 0);
    await life.runner.join(A.address);
    expect(await life.uploads.offer(A.address, offers[2] as (typeof offers)[0])).toEqual([0]);
  });
});

describe('deadlines', () => {
  it('close a round with a quorum', async () => {
    const world = await createWorld({ rounds: 1, participation: { deadlineMs: 1000 } });
    let clockMs = 0;
    const life = await collecting(world, { now: () => clockMs });
    for (const signer of [A, B, C]) await contribute(life, world, signer, life);
    expect(life.runner.state.phase).toBe('collecting');
    clockMs = 1000;
    expect(await until(life, ({ phase }) => phase === 'closed')).toMatchObject({
      progress: { present: [A.address, B.address, C.address] },
    });
    expect(world.anchorings[0]?.participants).toBe(3);
  });

  it('longer than a timer can hold do not pass at once', async () => {
    const world = await createWorld({ rounds: 1, participation: { deadlineMs: 31_536_000_000 } });
    const life = await startLife(world);
    await playToTheEnd(life, world);
    expect((await logOf(world)).map(({ type }) => type)).not.toContain('deadlinePassed');
  });

  it('fail a job that never gets its quorum, with a reason', async () => {
    const world = await createWorld({ participation: { deadlineMs: 5, quorum: 1, expected: 1, retries: 2 } });
    const life = await startLife(world, { now: Date.now });
    while (life.runner.state.phase !== 'failed') {
      await life.runner.join(A.address);
      const { attempt } = life.runner.state.progress;
      await until(life, (state) => state.phase === 'failed' || state.progress.attempt > attempt);
    }
    expect(life.runner.state).toMatchObject({ code: 'round/quorum-missed', progress: { attempt: 2 } });
  });
});

describe('after its end', () => {
  it('a runner keeps nothing and says why', async () => {
    const world = await createWorld();
    const life = await collecting(world);
    await life.stop();
    const before = await logOf(world);
    const stopped = expect.objectContaining({ code: 'runner/stopped' }) as Error;
    await expect(life.runner.join(STRANGER.address)).rejects.toThrow(stopped);
    await expect(life.runner.leave(A.address)).rejects.toThrow(stopped);
    await expect(contribute(life, world, A, life)).rejects.toThrow(stopped);
    expect(await logOf(world)).toEqual(before);
  });

  it('an anchoring that was under way is not logged by the one that was stopped', async () => {
    const world = await createWorld({ rounds: 1 });
    let confirm: (() => void) | undefined;
    const life = await startLife(world, {
      anchor: async (record) => {
        await new Promise<void>((resolve) => {
          confirm = resolve;
        });
        return anchorIn(world)(record);
      },
    });
    void playToTheEnd(life, world).catch(() => {});
    await until(life, ({ phase }) => phase === 'anchoring');
    await life.stop();
    const before = await logOf(world);
    confirm?.();
    await life.runner.stopped();
    // The next life anchors the same record and logs it once.
    const next = await startLife(world);
    await until(next, ({ phase }) => phase === 'closed');
    const log = await logOf(world);
    expect(log.slice(before.length).map(({ type }) => type)).toEqual(['coordinatorRestarted', 'roundAnchored']);
    expect(world.anchorings[1]).toEqual(world.anchorings[0]);
  });
});
