import { afterEach, describe, expect, it } from 'vitest';
import { createFinalize } from '../../../contracts/ledger/finality-writer.ts';
import { createStakesWriter } from '../../../contracts/ledger/stakes.ts';
import type { Hex } from '../../../shared/bytes.ts';
import { attestationDigest, packAttestations } from '../../../shared/commitments/attestation.ts';
import { COURT } from '../../contracts/court-fixture.ts';
import { signers } from '../auditor/history.ts';
import { type CourtLab, openCourtLab } from './court-lab.ts';
import { LIES } from './lies.ts';

let lab: CourtLab;
afterEach(() => lab.close());

/** What a rewind can take from participants at most: every round of the ring at its price. */
const RING_REWARDS = 16n * 100n;

describe('a coordinator that challenges itself', () => {
  it('loses more than it saves by the rounds that it takes back, even if all participants are its own', async () => {
    lab = await openCourtLab();
    const { world } = lab;
    const accomplice = world.challenger.address;
    const own = async (): Promise<bigint> =>
      (await world.balanceOf(world.coordinator.address)) +
      (await world.stakes.bondOf(world.coordinator.address)).amount +
      (await world.balanceOf(accomplice)) +
      (await world.stakes.owedTo(accomplice));
    const before = { own: await own(), totals: await world.stakes.totals() };
    const lying = await lab.history({ rounds: 3, meddling: { 1: LIES[0]?.meddling ?? {} } });
    await lab.anchor(lying, 1, 3);
    const watched = lab.watch();
    await watched.told('challenged');
    await lab.pass(COURT.answerS + 1);
    await watched.told('withdrawn');
    await watched.stop();

    const after = { own: await own(), totals: await world.stakes.totals() };
    const compensation = after.totals.pots - before.totals.pots;
    // Whatever goes to participants may go to itself under other names; what is destroyed goes to nobody.
    expect(before.own - after.own - compensation).toBe(after.totals.burned - before.totals.burned);
    expect(after.totals.burned - before.totals.burned).toBeGreaterThan(RING_REWARDS);
    expect(await lab.surplus()).toBe(0n);
  }, 60_000);
});

describe('a minority of sybils', () => {
  it('makes nothing final that nobody else can recompute', async () => {
    lab = await openCourtLab({ court: { attestationQuorum: 3, attestationTicks: 10 } });
    const { world, chain } = lab;
    const outbox = await world.outboxOf(world.coordinator);
    const { stakes, token, anchor } = world.job;
    await createStakesWriter({ outbox, rpc: chain.rpc, stakes, token }).publishRoster('sybils');
    const roster = (await world.stakes.roster()) ?? [];
    const held = await lab.history({ rounds: 1 });
    const missing = held.contributions[0]?.contribution.updateRoot as Hex;
    lab.blobs.delete(missing);
    await lab.anchor(held, 1, 1);
    const head = held.records[0]?.head as Hex;
    const digest = attestationDigest(held.facts, { job: held.facts.job, round: 1, head });
    const attest = (who: number[]): Uint8Array =>
      packAttestations(
        who.map((index) => ({
          position: roster.indexOf(signers[index]?.address as Hex),
          signature: signers[index]?.signDigest(digest) as Hex,
        })),
      );
    const finalize = createFinalize(outbox, anchor);
    await expect(finalize(1, head, attest([0, 1]))).rejects.toThrow(/TooFewAttestations/);
    // Nor by saying it twice.
    const two = attest([0, 1]);
    const twice = new Uint8Array([...two, ...two.subarray(two.length / 2)]);
    await expect(finalize(1, head, twice)).rejects.toThrow();
    expect((await world.ledger.progress()).attested).toBe(0);

    const watched = lab.watch();
    await watched.told('finding', ({ verdict }) => verdict === 'withheld');
    await lab.pass((101 + 10) * 16);
    await watched.told('rewound', ({ first }) => first === 1);
    await watched.stop();
    expect(await world.ledger.latestRound()).toBe(0);
    expect((await world.ledger.vaultFacts()).activated).toBe(0n);
  }, 60_000);
});
