import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadArtifact } from '../../contracts/artifacts.ts';
import type { DeployedJob } from '../../contracts/deploy.ts';
import { createLedgerWriter, type LedgerWriter } from '../../contracts/ledger/ledger-writer.ts';
import type { Outbox } from '../../contracts/outbox/outbox.ts';
import { packageRoot } from '../../contracts/package-root.ts';
import { fromHex, type Hex } from '../../shared/bytes.ts';
import { encodeRecord, type RoundRecord } from '../../shared/commitments/record.ts';
import { rewardsTree } from '../../shared/commitments/rewards-tree.ts';
import { deployTestJob, hash, roundRecord, startTestChain, type TestChain, wallet } from './harness.ts';

const SNAPSHOT = join(packageRoot(), 'contracts', 'snapshots', 'gas.json');
const RING = 64;
const ACCOUNTS = 200;

let test: TestChain;
let outbox: Outbox;
let job: DeployedJob;
let writer: LedgerWriter;
const measured: Record<string, number> = {};

beforeAll(async () => {
  test = await startTestChain();
  outbox = await test.openOutbox(wallet('coordinator'));
  job = await deployTestJob(test, outbox, { ringSize: RING, windowTicks: 1, maxRounds: 100_000 });
  writer = createLedgerWriter(outbox, job);
});
afterAll(() => test.close());

/** A record whose every hash is full, as in production. */
const record = (round: number, changes: Partial<RoundRecord> = {}) =>
  roundRecord(round, { rewardsTotal: 100n * BigInt(round), ...changes });
const rounds = (first: number, count: number) => Array.from({ length: count }, (_, index) => record(first + index));
const passWindow = () => test.chain.increaseTime(48);

/** Gas of calldata before execution: 4 a zero byte, 16 another (EIP-2028). */
function calldataGas(data: Uint8Array): number {
  return data.reduce((sum, byte) => sum + (byte === 0 ? 4 : 16), 0);
}

const selectorGas = (contract: 'RoundAnchor' | 'RewardVault', name: string) =>
  calldataGas(fromHex((loadArtifact(contract).abi.getFunction(name)?.selector ?? '0x') as Hex));

/** What one anchored round cannot cost less than; see docs/costs.md. */
function anchorFloor(round: RoundRecord): number {
  const calldata = selectorGas('RoundAnchor', 'anchor') + calldataGas(encodeRecord(round));
  const slots = 2100 + 2100 + (2100 + 2900);
  const log = 375 + 3 * 375 + 8 * (32 + 672);
  return 21_000 + calldata + slots + log;
}

/** The same for one round of a batch of `count`: EIP-7623 charges 10 gas a token of calldata at least. */
function batchFloor(batch: readonly RoundRecord[]): number {
  const calldata = batch.reduce((sum, round) => sum + calldataGas(encodeRecord(round)), 0);
  const execution = batch.length * (2100 + 2900 + 375 + 3 * 375 + 8 * (32 + 672)) + 2100 + 2100;
  return (21_000 + Math.max(calldata + execution, (calldata / 4) * 10)) / batch.length;
}

/** What one claim cannot cost less than with this token; see docs/costs.md. */
function claimFloor(calldata: Uint8Array): number {
  const vaultSlots = 2100 + 5000 + 5000;
  // The call to the token, both balances, and both delegates that a token with votes must look up.
  const token = 2600 + 5000 + 5000 + 2100 + 2100;
  const logs = 375 + 3 * 375 + 8 * 32 + (375 + 2 * 375 + 8 * 64);
  return 21_000 + calldataGas(calldata) + vaultSlots + token + logs;
}

describe('gas', () => {
  it('of anchored rounds', async () => {
    measured['anchor, first use of a slot'] = (await writer.anchor(record(1))).gasUsed;
    await writer.anchorMany(rounds(2, RING - 1));
    await passWindow();
    await writer.anchorMany(rounds(RING + 1, RING));
    await passWindow();
    const steady = record(2 * RING + 1);
    const { gasUsed } = await writer.anchor(steady);
    measured['anchor, steady'] = gasUsed;
    measured['anchor, floor'] = anchorFloor(steady);
    expect(gasUsed / anchorFloor(steady)).toBeLessThanOrEqual(1.05);
    await passWindow();
    const batch = rounds(2 * RING + 2, RING);
    const each = (await writer.anchorMany(batch)).gasUsed / RING;
    measured['anchorMany of 64, each'] = Math.round(each);
    measured['anchorMany of 64, each, floor'] = Math.round(batchFloor(batch));
    expect(each / batchFloor(batch)).toBeLessThanOrEqual(1.05);
  });

  it('of claims', async () => {
    const accounts = Array.from({ length: ACCOUNTS }, (_, index) => `0x${hash(`account ${index}`).slice(26)}` as Hex);
    const earned = (round: number) =>
      accounts.map((account, index) => ({ account, cumulative: BigInt(round * (index + 1)) * 10n ** 15n }));
    const claims = async (round: number) => {
      const entitlements = earned(round);
      const tree = rewardsTree(entitlements);
      const total = entitlements.reduce((sum, { cumulative }) => sum + cumulative, 0n);
      const final = record(round, { job: parameters.job, rewardsRoot: tree.root, rewardsTotal: total });
      await priced.anchor(final);
      await passWindow();
      measured['activate'] = (await priced.activate(final)).gasUsed;
      return entitlements.map((each) => ({ ...each, proof: tree.proof(each.account) ?? [] }));
    };
    const parameters = { ringSize: 4, windowTicks: 0, pricePerRound: 10n ** 20n, job: hash('priced') };
    const other = await deployTestJob(test, outbox, parameters);
    const priced = createLedgerWriter(outbox, other);
    await priced.approve(10n ** 26n, 'priced');
    await priced.fund(10n ** 26n, 'priced');

    const first = await claims(1);
    const one = first[0] as (typeof first)[0];
    measured['claim, first (proof of 8)'] = (await priced.claim(one)).gasUsed;
    await priced.claimMany(first, 'first');
    const second = await claims(2);
    const steady = second[0] as (typeof first)[0];
    const { gasUsed } = await priced.claim(steady);
    const parametersOfClaim = [steady.account, steady.cumulative, steady.proof];
    const calldata = loadArtifact('RewardVault').abi.encodeFunctionData('claim', parametersOfClaim);
    const floor = claimFloor(fromHex(calldata));
    measured['claim, steady (proof of 8)'] = gasUsed;
    measured['claim, floor'] = floor;
    expect(gasUsed / floor).toBeLessThanOrEqual(1.1);
    const third = await claims(3);
    measured[`claimMany of ${ACCOUNTS}, each, steady`] = Math.round(
      (await priced.claimMany(third, 'third')).gasUsed / ACCOUNTS,
    );
  });

  it('of deployments, and the size of the code', () => {
    measured['deploy FedToken'] = job.receipts.token?.gasUsed ?? 0;
    measured['deploy RoundAnchor'] = job.receipts.anchor?.gasUsed ?? 0;
    measured['deploy RewardVault'] = job.receipts.vault?.gasUsed ?? 0;
    for (const name of ['FedToken', 'RoundAnchor', 'RewardVault'] as const) {
      measured[`bytes of ${name}`] = loadArtifact(name).deployedBytes;
    }
  });

  it('is what the committed snapshot says (FEDANCHOR_UPDATE_SNAPSHOTS=1 writes it anew)', async () => {
    if (process.env['FEDANCHOR_UPDATE_SNAPSHOTS'] === '1') {
      await writeFile(SNAPSHOT, `${JSON.stringify(measured, null, 2)}\n`);
    }
    expect(measured).toEqual(JSON.parse(await readFile(SNAPSHOT, 'utf8')));
  });
});
