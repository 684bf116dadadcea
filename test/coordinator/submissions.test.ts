import { describe, expect, it } from 'vitest';
import type { Signer } from '../../contracts/wallet.ts';
import type { UploadStore } from '../../coordinator/blobs/upload-store.ts';
import type { EventStore } from '../../coordinator/stores/event-store.ts';
import type { SignedReceipt } from '../../shared/commitments/receipt.ts';
import { vectorBytes } from '../../shared/commitments/vector-trees.ts';
import { deferred } from '../client/deferred.ts';
import { offerOf, signStatement, statementOf, updateOf, WALLETS } from './fixture.ts';
import { collecting, contribute, createWorld, logOf, startLife, until, type World } from './runner-harness.ts';

const [A, B, C, D] = WALLETS as [Signer, Signer, Signer, Signer];

/** The log of a world, and what each write of it held. */
function watchWrites({ events }: World): { readonly store: EventStore; readonly writes: string[][] } {
  const writes: string[][] = [];
  const append: EventStore['append'] = async (appended) => {
    await events.append(appended);
    writes.push(appended.map(({ type }) => type));
  };
  return { store: { ...events, append }, writes };
}

describe('submissions that come while others are being stored', () => {
  it('are stored together and logged in one write; each receipt leaves after it', async () => {
    const world = await createWorld({ rounds: 1 });
    const { store, writes } = watchWrites(world);
    const [started, slow] = [deferred<void>(), deferred<void>()];
    const stored: string[] = [];
    const put: World['blobs']['put'] = async (id, bytes) => {
      started.resolve();
      await slow.promise;
      await world.blobs.put(id, bytes);
      stored.push(id);
    };
    const life = await collecting(world, { events: store, blobs: { ...world.blobs, put } });
    writes.length = 0;
    const first = contribute(life, world, A, life);
    await started.promise;
    const others = [B, C, D].map((signer) => contribute(life, world, signer, life));
    // All are checked meanwhile: their bytes are read, and they wait for their turn.
    await new Promise(setImmediate);
    slow.resolve();
    for (const { verdict, updateRoot } of await Promise.all([first, ...others])) {
      expect(verdict).toBe('accepted');
      expect(stored).toContain(updateRoot);
    }
    await until(life, ({ phase }) => phase === 'closed');
    expect(writes.flat().filter((type) => type === 'updateAccepted')).toHaveLength(4);
    expect(writes[0]).toEqual(['updateAccepted']);
    expect(writes.length).toBeLessThan(6);
  });

  it('have their receipts though what they came in takes for ever to be dropped', async () => {
    const world = await createWorld({ rounds: 1 });
    const real = world.openUploads();
    const stuck = deferred<void>();
    const uploads: UploadStore = {
      ...real,
      discard: async (participant) => {
        await stuck.promise;
        await real.discard(participant);
      },
      clear: () => stuck.promise,
    };
    const life = await collecting(world, { uploads });
    for (const signer of WALLETS) expect(await contribute(life, world, signer, life)).toMatchObject({ code: '' });
    await until(life, ({ phase }) => phase === 'closed');
    let isStopped = false;
    const stopped = life.stop().then(() => {
      isStopped = true;
    });
    await new Promise(setImmediate);
    expect(isStopped).toBe(false);
    stuck.resolve();
    await stopped;
    expect(await real.hasPart(WALLETS[0]?.address as `0x${string}`, world.job.terms.job, 0)).toBe(false);
  });

  it('of one participant are one acceptance: the same update has the same receipt, another is a duplicate', async () => {
    const world = await createWorld();
    const life = await collecting(world);
    const twice = await Promise.all([contribute(life, world, A, life), contribute(life, world, A, life)]);
    expect(twice).toEqual([twice[0], twice[0]]);
    expect(twice[0]).toMatchObject({ verdict: 'accepted' });
    // Two updates of one participant at once: both are looked at, one of them is the one, of the other nothing is kept.
    const { terms } = world.job;
    const updates = [1, 2].map((first) => Int16Array.from(updateOf(terms, B.address, life.plan).fill(first, 0, 1)));
    const submissions = updates.map(async (update) => {
      const statement = statementOf(terms, life.plan, update);
      const offer = offerOf(vectorBytes(update));
      await life.uploads.offer(B.address, offer);
      await life.uploads.putPart(B.address, offer.updateRoot, 0, vectorBytes(update));
      return statement;
    });
    const statements = await Promise.all(submissions);
    const both = await Promise.all(
      statements.map((statement) => life.runner.submit(B.address, statement, signStatement(B, statement))),
    );
    expect(both.map(({ code }) => code)).toEqual(['', 'gate/duplicate']);
    const kept = await Promise.all(both.map(({ updateRoot }) => world.blobs.size(updateRoot)));
    expect(kept).toEqual([terms.layout.dimension * 2, undefined]);
    const accepted = (await logOf(world)).filter(({ type }) => type === 'updateAccepted');
    expect(accepted).toHaveLength(2);
  });

  it('that cannot be stored cost nobody else anything', async () => {
    const world = await createWorld({ rounds: 1 });
    let broken: string | undefined;
    const put: World['blobs']['put'] = async (id, bytes) => {
      broken ??= id;
      if (id === broken) throw new Error('this one sector is bad');
      await world.blobs.put(id, bytes);
    };
    const life = await collecting(world, { blobs: { ...world.blobs, put } });
    const answers = await Promise.allSettled([A, B, C, D].map((signer) => contribute(life, world, signer, life)));
    expect(answers.filter(({ status }) => status === 'rejected')).toHaveLength(1);
    expect((await logOf(world)).filter(({ type }) => type === 'updateAccepted')).toHaveLength(3);
    expect(life.runner.state.phase).toBe('collecting');
  });
});

/** A log that dies at its n-th write, before the write is on disk or after. */
function dyingLog({ events }: World, n: number, moment: 'before' | 'after', controller: AbortController): EventStore {
  let writes = 0;
  return {
    ...events,
    append: async (appended) => {
      const isLast = ++writes === n;
      if (isLast && moment === 'before') controller.abort(new Error('killed'));
      signalLife(controller);
      await events.append(appended);
      if (isLast) controller.abort(new Error('killed'));
      signalLife(controller);
    },
  };
}

function signalLife({ signal }: AbortController): void {
  if (signal.aborted) throw signal.reason;
}

describe('a coordinator that dies while all submit at once', () => {
  const kills = [1, 2, 3, 4, 5, 6, 7].flatMap((n) => [[n, 'before'] as const, [n, 'after'] as const]);

  it.each(kills)(
    'at its write %i, %s it is on disk: who has a receipt has it still, and nobody counts twice',
    async (n, moment) => {
      const undisturbed = await createWorld({ rounds: 1 });
      const calm = await collecting(undisturbed);
      await Promise.all(WALLETS.map((signer) => contribute(calm, undisturbed, signer, calm)));
      await until(calm, ({ phase }) => phase === 'closed');

      const world = await createWorld({ rounds: 1 });
      const controller = new AbortController();
      const mortal = await startLife(world, { events: dyingLog(world, n, moment, controller) }, controller);
      const had: SignedReceipt[] = [];
      await Promise.allSettled(WALLETS.map(({ address }) => mortal.runner.join(address)));
      const { state } = mortal.runner;
      if (state.phase === 'collecting') {
        const answering = WALLETS.map(async (signer) => had.push(await contribute(mortal, world, signer, state)));
        await Promise.allSettled(answering);
      }
      await mortal.stop();

      const life = await startLife(world);
      await Promise.all(WALLETS.map(({ address }) => life.runner.join(address)));
      const open = await until(life, ({ phase }) => phase !== 'open');
      const again: SignedReceipt[] = [];
      if (open.phase === 'collecting') {
        again.push(...(await Promise.all(WALLETS.map((signer) => contribute(life, world, signer, open)))));
        expect(again.map(({ verdict }) => verdict)).toEqual(WALLETS.map(() => 'accepted'));
      }
      await until(life, ({ phase }) => phase === 'closed');
      const accepted = (await logOf(world)).flatMap((event) =>
        event.type === 'updateAccepted' ? [event.receipt] : [],
      );
      expect(new Set(accepted.map(({ participant }) => participant)).size).toBe(WALLETS.length);
      expect(accepted).toHaveLength(WALLETS.length);
      for (const receipt of [...had, ...again]) expect(accepted).toContainEqual(receipt);
      expect(world.anchorings.at(-1)).toEqual(undisturbed.anchorings[0]);
    },
  );
});

describe('a deadline', () => {
  it('lets everyone be answered first who came in time, however long the update takes to be checked', async () => {
    const world = await createWorld({ rounds: 1, participation: { deadlineMs: 5, quorum: 3, retries: 0 } });
    const clock = { ms: 0 };
    const [isDue, reading, slow] = [deferred<void>(), deferred<void>(), deferred<void>()];
    const real = world.openUploads();
    const uploads: UploadStore = {
      ...real,
      assemble: async (participant, updateRoot) => {
        if (participant === C.address) {
          reading.resolve();
          await slow.promise;
        }
        return real.assemble(participant, updateRoot);
      },
    };
    const monotonicMs = (): number => {
      if (clock.ms > 0) isDue.resolve();
      return clock.ms;
    };
    const life = await collecting(world, { uploads, monotonicMs });
    for (const signer of [A, B]) await contribute(life, world, signer, life);
    const last = contribute(life, world, C, life);
    await reading.promise;
    clock.ms = 60_000;
    await isDue.promise;
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect(life.runner.state.phase).toBe('collecting');
    slow.resolve();
    expect(await last).toMatchObject({ verdict: 'accepted' });
    await until(life, ({ phase }) => phase === 'closed');
    expect(world.anchorings[0]?.participants).toBe(3);
  });

  it('does not move with a clock that is set, forward or back', async () => {
    const world = await createWorld({ rounds: 1, participation: { deadlineMs: 5, quorum: 3, retries: 0 } });
    const clock = { wallMs: 1_700_000_000_000, ms: 0, asked: 0 };
    const looked = deferred<void>();
    const monotonicMs = (): number => {
      if (++clock.asked === 10) looked.resolve();
      return clock.ms;
    };
    const life = await collecting(world, { monotonicMs, now: () => clock.wallMs });
    for (const signer of [A, B, C]) await contribute(life, world, signer, life);
    clock.wallMs += 3_600_000;
    clock.asked = 0;
    await looked.promise;
    expect(life.runner.state.phase).toBe('collecting');
    clock.wallMs -= 7_200_000;
    clock.ms = 5;
    await until(life, ({ phase }) => phase === 'closed');
    expect((await logOf(world)).map(({ type }) => type)).toContain('deadlinePassed');
  });
});
