import { describe, expect, it } from 'vitest';
import type { RoundAnchored } from '../../coordinator/round/events.ts';
import { deferred } from '../client/deferred.ts';
import { hash, WALLETS } from './fixture.ts';
import { collecting, contribute, createWorld, logOf, startLife, until } from './runner-harness.ts';

const receiptOf = (round: number): Pick<RoundAnchored, 'transactionHash' | 'blockNumber' | 'gasUsed'> => ({
  transactionHash: hash(`${round}`),
  blockNumber: round,
  gasUsed: '21000',
});

describe('a rewind', () => {
  it('leaves nothing to what was under way: a record that arrives late is not written down', async () => {
    const world = await createWorld({ participation: { retries: 9 } });
    const late = deferred<ReturnType<typeof receiptOf>>();
    const life = await collecting(world, {
      anchor: async ({ round, attempt }) => (attempt === 0 ? late.promise : receiptOf(round)),
    });
    for (const signer of WALLETS) await contribute(life, world, signer);
    await until(life, ({ phase }) => phase === 'anchoring');
    await life.runner.rewind({ firstRound: 1, lastRound: 1, minAttempt: 1 });
    expect(life.runner.state).toMatchObject({ phase: 'collecting', plan: { round: 1, attempt: 1 } });
    late.resolve(receiptOf(1));
    for (const signer of WALLETS) await contribute(life, world, signer);
    await until(life, ({ progress }) => progress.rounds === 1);
    const anchored = (await logOf(world)).flatMap((event) => (event.type === 'roundAnchored' ? [event.attempt] : []));
    expect(anchored).toEqual([1]);
  });

  it('is written down once, and read again by the next life with what it led back to', async () => {
    const world = await createWorld({ participation: { retries: 9 } });
    const life = await collecting(world);
    for (const signer of WALLETS) await contribute(life, world, signer);
    await until(life, ({ progress, phase }) => progress.rounds === 1 && phase === 'collecting');
    const model = life.runner.modelRoot(1);
    for (let again = 0; again < 3; again++) {
      await life.runner.rewind({ firstRound: 2, lastRound: 2, minAttempt: 1 });
      await life.runner.rewind({ firstRound: 1, lastRound: 1, minAttempt: 1 });
    }
    expect(life.runner.modelRoot(1)).toBe(model);
    await life.runner.rewind({ firstRound: 1, lastRound: 1, minAttempt: 2 });
    expect(life.runner.modelRoot(1)).toBeUndefined();
    expect(life.runner.recordOf(1)).toBeUndefined();
    await life.stop();
    const next = await startLife(world);
    expect(next.runner.state.progress).toMatchObject({
      rounds: 0,
      modelRoot: world.job.terms.manifest.initialModelRoot,
      rewound: { minAttempt: 2 },
    });
    const kinds = (await logOf(world)).map(({ type }) => type);
    expect(kinds.filter((kind) => kind === 'roundsRewound')).toHaveLength(2);
  });
});

describe('the bond', () => {
  it('is written down when it changes what may happen, and not at every look', async () => {
    const world = await createWorld();
    const { runner } = await startLife(world);
    for (const held of [5n, 5n, 4n, 5n, 10n, 11n, 10n]) await runner.weighBond({ held, needed: 10n });
    const kinds = (await logOf(world)).map(({ type }) => type);
    expect(kinds).toEqual(['bondFellShort', 'bondFellShort', 'bondFellShort', 'bondRestored']);
  });
});
