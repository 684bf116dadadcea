import { afterEach, describe, expect, it } from 'vitest';
import type { Hex } from '../../../shared/bytes.ts';
import { type Receipt, receiptDigest } from '../../../shared/commitments/receipt.ts';
import { COURT } from '../../contracts/court-fixture.ts';
import { type CourtLab, openCourtLab, ruled } from './court-lab.ts';
import { LIES } from './lies.ts';

let lab: CourtLab;
afterEach(() => lab.close());

const BOND = BigInt(COURT.challengerBond);
const SLASH = BigInt(COURT.slashAmount);
const REWARD = (SLASH * BigInt(COURT.proverBps)) / 10_000n;

describe('a watcher', () => {
  it.each(LIES)(
    'takes $name to court, wins, and honest work goes on',
    async ({ kind, rule, meddling }) => {
      lab = await openCourtLab({ replace: rule ? ruled(rule.rule, rule.f) : {} });
      const { world } = lab;
      const before = await world.balanceOf(world.challenger.address);
      const lying = await lab.history({ rounds: 3, meddling: { 2: meddling } });
      await lab.anchor(lying, 1, 3);
      const watched = lab.watch();
      const challenged = await watched.told('challenged');
      expect(challenged).toMatchObject({ round: 2, kind });
      expect((await world.stakes.totals()).locked).toBe(BOND);

      // Whoever lied has nothing to say: time passes.
      await lab.pass(COURT.answerS + 1);
      const ended = await watched.told('ended');
      expect(ended).toMatchObject({ id: challenged.id, outcome: 'won', round: 2 });
      expect(await world.ledger.latestRound()).toBe(1);
      await watched.told('withdrawn');
      expect(await world.balanceOf(world.challenger.address)).toBe(before + REWARD);
      expect((await world.stakes.bondOf(world.coordinator.address)).amount).toBe(
        2n * BigInt(COURT.coordinatorBond) - SLASH,
      );
      expect(await lab.surplus()).toBe(0n);

      const { minAttempt } = await world.ledger.facts();
      const honest = await lab.history({ rounds: 3, attempts: [0, minAttempt, minAttempt] });
      await lab.anchor(honest, 2, 3);
      await watched.told('round', ({ round, attempt, holds }) => round === 3 && attempt === minAttempt && holds);
      expect(await watched.stop()).toEqual({ stopped: true, holds: true, rounds: 3 });
      expect(watched.events.filter(({ event }) => event === 'challenged')).toHaveLength(1);
    },
    60_000,
  );
});

describe('a watcher, whatever comes in between', () => {
  const [coordinate, , , gram] = LIES;

  it('opens no second dispute over a lie, however often it starts', async () => {
    lab = await openCourtLab();
    const lying = await lab.history({ rounds: 2, meddling: { 1: coordinate?.meddling ?? {} } });
    await lab.anchor(lying, 1, 2);
    const first = lab.watch();
    await first.told('challenged');
    await first.stop();
    // What is published now is what would hide the lie: the dispute is open all the same.
    lab.blobs.clear();
    for (const [id, bytes] of lying.blobs) lab.blobs.set(id, bytes);
    const second = lab.watch();
    await second.told('challenged');
    await lab.pass(COURT.answerS + 1);
    await second.told('ended', ({ outcome }) => outcome === 'won');
    await second.stop();
    expect(await lab.world.ledger.latestRound()).toBe(0);
    const opened = await (await lab.court()).opened(0);
    expect(opened).toHaveLength(1);
    expect(await lab.surplus()).toBe(0n);
  }, 60_000);

  it('sends nothing in a dry run, with a key or without', async () => {
    lab = await openCourtLab();
    const lying = await lab.history({ rounds: 1, meddling: { 1: coordinate?.meddling ?? {} } });
    await lab.anchor(lying, 1, 1);
    for (const signer of [lab.world.challenger, null]) {
      const watched = lab.watch({ dryRun: true, signer });
      expect(await watched.told('finding')).toMatchObject({ round: 1, verdict: 'challenge', kind: 'coordinate' });
      expect(await watched.stop()).toMatchObject({ holds: false, stopped: true });
      expect(watched.events[0]).toMatchObject({ event: 'watching', account: null });
    }
    expect(await (await lab.court()).opened(0)).toEqual([]);
  }, 60_000);

  it('says that it is too late once the window is over', async () => {
    lab = await openCourtLab();
    const lying = await lab.history({ rounds: 1, meddling: { 1: coordinate?.meddling ?? {} } });
    await lab.anchor(lying, 1, 1);
    await lab.pass(101 * 16);
    const watched = lab.watch();
    expect(await watched.told('finding')).toMatchObject({ round: 1, verdict: 'too-late' });
    await watched.stop();
    expect(await (await lab.court()).opened(0)).toEqual([]);
  }, 60_000);

  it('finds that an update was dropped that it has a receipt for', async () => {
    lab = await openCourtLab();
    const honest = await lab.history({ rounds: 1 });
    const dropping = await lab.history({
      rounds: 1,
      meddling: { 1: { admitted: (admitted) => admitted.filter((_, row) => row !== 2) } },
    });
    const dropped = honest.contributions[2]?.contribution;
    if (dropped === undefined) throw new Error('nobody was dropped');
    const { participant, updateRoot } = dropped;
    const { job } = honest.terms;
    const receipt: Receipt = { job, round: 1, attempt: 0, participant, updateRoot, verdict: 'accepted', code: '' };
    const { facts } = honest;
    const signature = lab.world.coordinator.signDigest(receiptDigest(facts, receipt));
    await lab.anchor(dropping, 1, 1);

    const stranger = lab.watch({ signer: null });
    expect(await stranger.told('round')).toMatchObject({ holds: true });
    await stranger.stop();
    // What held for a stranger is looked at again by whoever knows better.
    const watched = lab.watch({ stateDir: await lab.folder(), receipts: async () => [{ ...receipt, signature }] });
    expect(await watched.told('challenged')).toMatchObject({ kind: 'omission', round: 1 });
    await lab.pass(COURT.answerS + 1);
    await watched.told('ended', ({ outcome }) => outcome === 'won');
    await watched.told('withdrawn');
    expect(await lab.world.ledger.latestRound()).toBe(0);
    expect(await lab.surplus()).toBe(0n);
  }, 60_000);

  it('names no lie where data is withheld, and has the round taken back when nobody has attested it', async () => {
    lab = await openCourtLab({ court: { attestationQuorum: 3, attestationTicks: 10 } });
    const { world } = lab;
    const held = await lab.history({ rounds: 2 });
    const missing = held.contributions.find(({ round }) => round === 1)?.contribution.updateRoot as Hex;
    const bytes = lab.blobs.get(missing) as Uint8Array;
    lab.blobs.delete(missing);
    await lab.anchor(held, 1, 2);
    const bond = (await world.stakes.bondOf(world.coordinator.address)).amount;
    const watched = lab.watch();
    expect(await watched.told('finding')).toMatchObject({ round: 1, verdict: 'withheld' });
    await lab.pass((101 + 10) * 16);
    expect(await watched.told('unattested')).toMatchObject({ round: 1 });
    await watched.told('rewound', ({ first, last }) => first === 1 && last === 2);
    // Not attributable, hence not slashed; and nothing was paid.
    expect((await world.stakes.bondOf(world.coordinator.address)).amount).toBe(bond);
    expect(await world.ledger.latestRound()).toBe(0);
    expect((await world.ledger.vaultFacts()).activated).toBe(0n);

    lab.blobs.set(missing, bytes);
    const { minAttempt } = await world.ledger.facts();
    await lab.anchor(await lab.history({ rounds: 1, attempts: [minAttempt] }), 1, 1);
    await watched.told('round', ({ attempt, holds }) => attempt === minAttempt && holds);
    await watched.stop();
  }, 60_000);

  it('leaves alone what it has recomputed, though nobody has attested it', async () => {
    lab = await openCourtLab({ court: { attestationQuorum: 3, attestationTicks: 10 } });
    await lab.anchor(await lab.history({ rounds: 1 }), 1, 1);
    const watched = lab.watch();
    await watched.told('round', ({ holds }) => holds);
    await lab.pass((101 + 10) * 16);
    await lab.anchor(await lab.history({ rounds: 2 }), 2, 2);
    await watched.told('round', ({ round, holds }) => round === 2 && holds);
    await watched.stop();
    expect(await lab.world.ledger.latestRound()).toBe(2);
  }, 60_000);

  it('sees a dispute over the Gram matrix through against a coordinator that plays on, its data gone', async () => {
    lab = await openCourtLab();
    const lying = await lab.history({ rounds: 1, meddling: { 1: gram?.meddling ?? {} } });
    await lab.anchor(lying, 1, 1);
    const watched = lab.watch();
    const { id } = await watched.told('challenged');
    lab.blobs.clear();
    await lab.defendGram(BigInt(id), lying);
    expect(await watched.told('picked')).toMatchObject({ id, first: 0 });
    await lab.pass(COURT.answerS + 1);
    await watched.told('ended', ({ outcome }) => outcome === 'won');
    await watched.told('withdrawn');
    expect(await lab.world.ledger.latestRound()).toBe(0);
    expect(await lab.surplus()).toBe(0n);
  }, 60_000);

  it('loses its bond, and no more, where a challenge by hand was wrong', async () => {
    lab = await openCourtLab();
    const honest = await lab.history({ rounds: 2 });
    await lab.anchor(honest, 1, 2);
    const id = await lab.challenge(2, { kind: 'coordinate', coordinate: 5 });
    const watched = lab.watch();
    await watched.told('round', ({ round, holds }) => round === 2 && holds);
    await lab.answer(id, honest);
    expect(await watched.told('ended')).toMatchObject({ id: String(id), outcome: 'answered' });
    await watched.stop();
    expect(await lab.world.ledger.latestRound()).toBe(2);
    expect(await lab.world.stakes.owedTo(lab.world.coordinator.address)).toBe(BOND);
    expect(await lab.surplus()).toBe(0n);
  }, 60_000);
});
