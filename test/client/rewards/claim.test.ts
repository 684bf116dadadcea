import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { claimForAll, claimRewards } from '../../../client/rewards/claim.ts';
import type { DeployedJob } from '../../../contracts/deploy.ts';
import { connectLedger, type Ledger } from '../../../contracts/ledger/ledger.ts';
import { createLedgerWriter, type LedgerWriter } from '../../../contracts/ledger/ledger-writer.ts';
import type { Outbox } from '../../../contracts/outbox/outbox.ts';
import type { Hex } from '../../../shared/bytes.ts';
import { toHex } from '../../../shared/bytes.ts';
import { rewardsTree } from '../../../shared/commitments/rewards-tree.ts';
import { encodeDocument } from '../../../shared/round/document.ts';
import {
  deployTestJob,
  hash,
  JOB,
  roundRecord,
  startTestChain,
  type TestChain,
  wallet,
} from '../../contracts/harness.ts';

const ACCOUNTS = Array.from({ length: 450 }, (_, index) => wallet(`earner ${index}`).address).toSorted();
const [ALICE = '0x', BOB = '0x'] = ACCOUNTS;

let chain: TestChain;
let outbox: Outbox;
let job: DeployedJob;
let ledger: Ledger;
let writer: LedgerWriter;
const stored = new Map<Hex, Uint8Array>();
const blobs = { get: async (id: Hex) => stored.get(id) ?? new Uint8Array() };

beforeAll(async () => {
  chain = await startTestChain();
  outbox = await chain.openOutbox(wallet('coordinator'));
  job = await deployTestJob(chain, outbox, { pricePerRound: 10_000n });
  ledger = await connectLedger({ rpc: chain.rpc, ...job });
  writer = createLedgerWriter(outbox, job);
  await writer.approve(100_000n, 'pot');
  await writer.fund(100_000n, 'pot');
});

afterAll(() => chain.close());

/** Anchors a round after which each account has earned `each` in all. */
async function anchor(round: number, each: bigint): Promise<void> {
  const rewards = ACCOUNTS.map((account) => ({ account, cumulative: each }));
  const { seed, seedIndex, updateBits, attempt, parentModelRoot: parentRoot } = roundRecord(round);
  const bytes = encodeDocument({
    ...{ job: JOB.job, plan: { round, attempt, parentRoot, updateBits, seedIndex, seed }, gram: [], weights: null },
    ...{ scores: [], rewards },
    contributions: [
      {
        ...{ participant: ALICE, updateRoot: hash('update'), samples: 1, largestMagnitude: 1 },
        ...{ datasetCommitment: hash('data'), signature: `0x${'11'.repeat(65)}` as Hex },
      },
    ],
  });
  const location = toHex(createHash('sha256').update(bytes).digest());
  stored.set(location, bytes);
  const rewardsTotal = each * BigInt(ACCOUNTS.length);
  await writer.anchor(roundRecord(round, { location, rewardsRoot: rewardsTree(rewards).root, rewardsTotal }));
}

describe('claiming', () => {
  it('says when, while nothing is final', async () => {
    await expect(claimForAll(ledger, writer, blobs)).rejects.toMatchObject({ code: 'claim/nothing-final' });
    await anchor(1, 10n);
    await expect(claimForAll(ledger, writer, blobs)).rejects.toMatchObject({
      code: 'claim/nothing-final',
      message: expect.stringContaining('round 1 is final from'),
    });
  });

  it('pays everybody in few transactions, and nobody twice', async () => {
    await anchor(2, 20n);
    await chain.chain.increaseTime(32);
    // One has been paid before, as if by an impatient client.
    expect(await claimRewards(ledger, writer, blobs, ALICE)).toMatchObject({ round: 2, before: 0n, claimed: 20n });
    const sent: number[] = [];
    const counting = {
      ...writer,
      claimMany: (...given: Parameters<LedgerWriter['claimMany']>) => {
        sent.push(given[0].length);
        return writer.claimMany(...given);
      },
    };
    const { round, accounts, paid } = await claimForAll(ledger, counting, blobs);
    expect([round, paid, accounts.length]).toEqual([2, 449n * 20n, 449]);
    expect(sent).toEqual([200, 200, 49]);
    expect(accounts).not.toContain(ALICE);
    for (const account of [ALICE, BOB, ACCOUNTS.at(-1) ?? '0x']) expect(await ledger.balanceOf(account)).toBe(20n);
    expect(await claimForAll(ledger, writer, blobs)).toEqual({ round: 2, accounts: [], paid: 0n });
    expect((await ledger.vaultFacts()).paid).toBe(9000n);
  });

  it('pays whom an account has named, and itself again when it takes that back', async () => {
    const signer = wallet('earner 7');
    const own = createLedgerWriter(await chain.openOutbox(signer), job);
    const treasurer = wallet('treasurer').address;
    expect(await ledger.claimerOf(signer.address)).toBe(signer.address);
    await own.setClaimer(treasurer, 'first');
    expect(await ledger.claimerOf(signer.address)).toBe(treasurer);
    await anchor(3, 21n);
    await chain.chain.increaseTime(32);
    await claimForAll(ledger, writer, blobs);
    expect([await ledger.balanceOf(treasurer), await ledger.balanceOf(signer.address)]).toEqual([1n, 20n]);
    await own.setClaimer(signer.address, 'second');
    await anchor(4, 22n);
    await chain.chain.increaseTime(32);
    await claimRewards(ledger, writer, blobs, signer.address);
    expect([await ledger.balanceOf(treasurer), await ledger.balanceOf(signer.address)]).toEqual([1n, 21n]);
  });

  it('goes on when somebody else activates the round first', async () => {
    await anchor(5, 23n);
    await chain.chain.increaseTime(32);
    const faster = await chain.openOutbox(wallet('faster'));
    const slower: Pick<LedgerWriter, 'activate' | 'claim'> = {
      claim: writer.claim,
      activate: async (record) => {
        await createLedgerWriter(faster, job).activate(record);
        return writer.activate(record);
      },
    };
    expect(await claimRewards(ledger, slower, blobs, ALICE)).toMatchObject({ round: 5, before: 21n, claimed: 23n });
  });
});
