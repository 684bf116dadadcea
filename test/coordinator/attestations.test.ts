import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAttestations } from '../../coordinator/attestations/attestations.ts';
import { createFinalizer } from '../../coordinator/attestations/finalizer.ts';
import type { JobEvent } from '../../coordinator/round/events.ts';
import type { JobState } from '../../coordinator/round/state.ts';
import type { Hex } from '../../shared/bytes.ts';
import { attestationDigest } from '../../shared/commitments/attestation.ts';
import { createQuietLog, DOMAIN, hash, WALLETS } from './fixture.ts';

const JOB = hash('job');
const ROSTER = WALLETS.map(({ address }) => address);
const headOf = (round: number, branch = ''): Hex => hash(`head ${round}${branch}`).slice(0, 54) as Hex;

/** Attestations of a job with so many anchored rounds; `branch` is which chain of them. */
function collect(rounds: number) {
  let state = { phase: 'collecting', progress: { rounds } } as JobState;
  let branch = '';
  const history: JobEvent[] = [];
  const listeners: ((event: JobEvent, state: JobState) => void)[] = [];
  const feed = (event: JobEvent): void => {
    history.push(event);
    for (const listener of listeners) listener(event, state);
  };
  const runner = {
    history,
    get state() {
      return state;
    },
    subscribe: (listener: (event: JobEvent, state: JobState) => void) => {
      listeners.push(listener);
      return () => {};
    },
    attest: async (attested: { participant: Hex; round: number; head: Hex; signature: Hex }) =>
      feed({ type: 'headAttested', at: 0, ...attested }),
  };
  const heads = { headAfter: (round: number) => (round <= state.progress.rounds ? headOf(round, branch) : undefined) };
  const open = () =>
    createAttestations({ job: JOB, domain: DOMAIN, runner, heads, isStaked: async (one) => ROSTER.includes(one) });
  return {
    runner,
    open,
    attestations: open(),
    attest: (attestations: ReturnType<typeof open>, who: number, round: number, of = branch) => {
      const signer = WALLETS[who] as (typeof WALLETS)[number];
      const head = headOf(round, of);
      const signature = signer.signDigest(attestationDigest(DOMAIN, { job: JOB, round, head }));
      return attestations.take({ participant: signer.address, round, head, signature });
    },
    rewind: (firstRound: number, to: string) => {
      state = { ...state, progress: { ...state.progress, rounds: firstRound - 1 } };
      const result = { modelRoot: hash('m'), updateBits: 1, location: null };
      feed({ type: 'roundsRewound', at: 0, firstRound, lastRound: rounds, minAttempt: 1, to: result });
      branch = to;
      state = { ...state, progress: { ...state.progress, rounds } };
    },
    end: () => {
      state = { ...state, phase: 'closed' } as JobState;
    },
  };
}

describe('collected attestations', () => {
  it('yield the newest head that enough of a roster have attested, whoever attested what and in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 6 })), { maxLength: 24 }),
        fc.integer({ min: 1, max: 4 }),
        fc.shuffledSubarray([...ROSTER], { minLength: 1 }),
        async (given, quorum, roster) => {
          const { attestations, attest, open } = collect(6);
          for (const [who, round] of given) await attest(attestations, who, round);
          const counts = [6, 5, 4, 3, 2, 1].map((round) => {
            const who = new Set(given.filter(([, at]) => at === round).map(([each]) => ROSTER[each] as Hex));
            return { round, positions: roster.flatMap((one, position) => (who.has(one) ? [position] : [])) };
          });
          const expected = counts.find(({ positions }) => positions.length >= quorum);
          // Another life finds the same in the log.
          for (const life of [attestations, open()]) {
            const found = life.newestQuorum(roster, quorum);
            expect(found?.round).toBe(expected?.round);
            expect(found?.attestations.map(({ position }) => position)).toEqual(expected?.positions.slice(0, quorum));
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('of rounds that are taken back do not count for those that take their places', async () => {
    const { attestations, attest, rewind, open } = collect(3);
    for (const who of [0, 1]) await attest(attestations, who, 3);
    await attest(attestations, 0, 1);
    rewind(2, ' again');
    expect(attestations.newestQuorum(ROSTER, 2)).toBeUndefined();
    await expect(attest(attestations, 2, 3, '')).rejects.toMatchObject({ code: 'attest/unknown-head' });
    for (const who of [2, 3]) await attest(attestations, who, 2);
    for (const life of [attestations, open()]) {
      expect(life.newestQuorum(ROSTER, 2)).toMatchObject({ round: 2, head: headOf(2, ' again') });
      expect(life.countFor(3)).toBe(0);
    }
  });

  it('are forgotten once they are on chain, and not written down any more', async () => {
    const { attestations, attest, runner } = collect(3);
    await attest(attestations, 0, 2);
    attestations.settle(2);
    expect(attestations.countFor(1)).toBe(0);
    await attest(attestations, 1, 2);
    expect(runner.history).toHaveLength(1);
  });

  it('are bounded: the oldest rounds go, for which a newer one stands', async () => {
    const { attestations, attest } = collect(100);
    for (let round = 1; round <= 70; round++) await attest(attestations, 0, round);
    await attest(attestations, 1, 70);
    await attest(attestations, 1, 6);
    expect(attestations.countFor(1)).toBe(2);
    expect(attestations.newestQuorum(ROSTER, 2)?.round).toBe(70);
  });
});

describe('attestations are shown to the chain', () => {
  const WINDOW_S = 16 * 100;
  const setUp = async () => {
    const job = collect(5);
    for (const who of [0, 1, 2]) await job.attest(job.attestations, who, 4);
    await job.attest(job.attestations, 0, 5);
    const chain = { attested: 0, timeS: 0, roster: undefined as Hex[] | undefined, staked: [...ROSTER] };
    const sent: string[] = [];
    const look = createFinalizer({
      attestations: job.attestations,
      runner: job.runner,
      ledger: {
        progress: async () => ({ attested: chain.attested, heldFrom: 0, limit: chain.attested }),
        // Round r is anchored at 10 r.
        finality: async (round) => ({ anchored: round <= 5, finalAtS: 10 * round + WINDOW_S }),
        chainTimeS: async () => chain.timeS,
      },
      stakes: { roster: async () => chain.roster, participants: async () => chain.staked },
      publishRoster: async () => {
        sent.push('roster');
        chain.roster = [...chain.staked];
      },
      finalize: async (round, _head, packed) => {
        sent.push(`finalize ${round} with ${packed.length / 66}`);
        chain.attested = round;
        return {} as never;
      },
      ...{ quorum: 3, windowTicks: 99, attestationTicks: 5, now: () => 0, log: createQuietLog() },
    });
    return { ...job, chain, sent, look };
  };

  it('once for all rounds, in the last quarter of the window of the first that lacks them', async () => {
    const { chain, sent, look } = await setUp();
    chain.timeS = 10 + WINDOW_S * 0.75 - 1;
    await look();
    expect(sent).toEqual([]);
    chain.timeS += 1;
    await look();
    expect(sent).toEqual(['roster', 'finalize 4 with 3']);
    await look();
    expect(sent).toHaveLength(2);
  });

  it('at once when the job is over', async () => {
    const { sent, look, end } = await setUp();
    end();
    await look();
    expect(sent).toEqual(['roster', 'finalize 4 with 3']);
  });

  it('after the roster, where participants have come or gone and a new list has a quorum', async () => {
    const { chain, sent, look, end } = await setUp();
    end();
    chain.roster = [...ROSTER];
    chain.staked = ROSTER.slice(0, 3);
    await look();
    expect(sent).toEqual(['roster', 'finalize 4 with 3']);
    chain.attested = 0;
    chain.staked = ROSTER.slice(1);
    await look();
    // Those who are left are too few for a quorum: the list that is published still stands.
    expect(sent.slice(2)).toEqual(['finalize 4 with 3']);
  });
});
