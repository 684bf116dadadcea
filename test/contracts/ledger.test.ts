import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadArtifact } from '../../contracts/artifacts.ts';
import type { DeployedJob } from '../../contracts/deploy.ts';
import { connectLedger, type Ledger } from '../../contracts/ledger/ledger.ts';
import { createLedgerWriter, type LedgerWriter } from '../../contracts/ledger/ledger-writer.ts';
import type { Outbox } from '../../contracts/outbox/outbox.ts';
import { connectRpc } from '../../contracts/rpc.ts';
import type { Hex } from '../../shared/bytes.ts';
import { genesisHead, nextHead, recordHash } from '../../shared/commitments/record.ts';
import { rewardsTree } from '../../shared/commitments/rewards-tree.ts';
import { deployTestJob, JOB, roundRecord, startTestChain, type TestChain, wallet } from './harness.ts';

let test: TestChain;
let outbox: Outbox;
let job: DeployedJob;
let ledger: Ledger;
let writer: LedgerWriter;

beforeAll(async () => {
  test = await startTestChain();
  outbox = await test.openOutbox(wallet('coordinator'));
  job = await deployTestJob(test, outbox);
  ledger = await connectLedger({ rpc: test.rpc, ...job });
  writer = createLedgerWriter(outbox, job);
});
afterAll(() => test.close());

const alice: Hex = `0x${'a1'.repeat(20)}`;
const bob: Hex = `0x${'b0'.repeat(20)}`;
const tree = rewardsTree([
  { account: alice, cumulative: 120n },
  { account: bob, cumulative: 80n },
]);
const first = roundRecord(1);
const second = roundRecord(2, { rewardsRoot: tree.root, rewardsTotal: 200n });

describe('a job on a real chain', () => {
  it('tells the facts it was deployed with', async () => {
    expect(await ledger.facts()).toMatchObject({ ...JOB, chainId: 31337n, coordinator: outbox.address, minAttempt: 0 });
    expect(await ledger.latestRound()).toBe(0);
    expect(await ledger.records()).toEqual([]);
  });

  it('chains the heads that the TypeScript side computes', async () => {
    const facts = await ledger.facts();
    const genesis = genesisHead(facts);
    expect(await ledger.headOf(0)).toBe(genesis);
    const receipt = await writer.anchor(first);
    await writer.anchorMany([second]);
    const head1 = nextHead(genesis, recordHash(first));
    const head2 = nextHead(head1, recordHash(second));
    expect(await ledger.headOf(1)).toBe(head1);
    expect(await ledger.headOf(2)).toBe(head2);
    expect(await ledger.headOf(3)).toBeUndefined();
    const records = await ledger.records();
    expect(records.map((each) => each.record)).toEqual([first, second]);
    expect(records.map((each) => each.head)).toEqual([head1, head2]);
    expect(records[0]).toMatchObject({ transactionHash: receipt.transactionHash, blockNumber: receipt.blockNumber });
  });

  it('reads the same records in ranges of one block', async () => {
    const small = await connectLedger({ rpc: test.rpc, anchor: job.anchor, logRangeBlocks: 1 });
    expect(await small.records()).toEqual(await ledger.records());
  });

  it('names the custom error of a refused record, and sends nothing', async () => {
    await expect(writer.anchor(roundRecord(4))).rejects.toMatchObject({
      code: 'ledger/reverted',
      data: { errorName: 'RoundAnchorOutOfOrder', errorArguments: { round: '4' } },
    });
    await expect(writer.anchor(roundRecord(3, { fixedPlanHash: first.modelRoot }))).rejects.toMatchObject({
      data: { errorName: 'RoundAnchorWrongPlan' },
    });
  });

  it('pays final rewards once, and only final ones', async () => {
    await writer.approve(1000n, 'first');
    await writer.fund(1000n, 'first');
    await expect(writer.activate(second)).rejects.toMatchObject({ data: { errorName: 'RewardVaultNotFinal' } });
    expect(await ledger.isFinal(second)).toBe(false);
    const { finalAtS } = await ledger.finality(2);
    await test.chain.increaseTime(finalAtS - (await ledger.chainTimeS()));
    expect(await ledger.isFinal(second)).toBe(true);
    expect(await ledger.isFinal({ ...second, seedIndex: 7 })).toBe(false);
    await writer.activate(second);
    const claim = { account: alice, cumulative: 120n, proof: tree.proof(alice) ?? [] };
    await writer.claim(claim);
    await writer.claimMany([claim, { account: bob, cumulative: 80n, proof: tree.proof(bob) ?? [] }], 'second');
    expect(await ledger.claimed(alice)).toBe(120n);
    expect(await ledger.balanceOf(alice)).toBe(120n);
    expect(await ledger.balanceOf(bob)).toBe(80n);
    expect(await ledger.vaultFacts()).toMatchObject({
      ...{ funded: 1000n, activated: 200n, paid: 200n, refunded: 0n },
      ...{ activatedRound: 2, rewardsRoot: tree.root, token: job.token, anchor: job.anchor },
    });
  });
});

describe('a ledger that cannot be had', () => {
  it('names an address without a contract', async () => {
    await expect(connectLedger({ rpc: test.rpc, anchor: alice })).rejects.toMatchObject({
      code: 'ledger/not-a-contract',
    });
    await expect(connectLedger({ rpc: test.rpc, anchor: job.anchor, vault: job.token })).rejects.toMatchObject({
      code: expect.stringMatching(/^ledger\/(not-a-contract|reverted)$/),
    });
  });

  it('names a vault of another job', async () => {
    const other = await deployTestJob(test, await test.openOutbox(wallet('other')));
    await expect(connectLedger({ rpc: test.rpc, anchor: job.anchor, vault: other.vault })).rejects.toMatchObject({
      code: 'ledger/wrong-vault',
    });
  });

  it('names the wrong chain and a dead node', async () => {
    await expect(connectLedger({ rpc: test.rpc, anchor: job.anchor, chainId: 1n })).rejects.toMatchObject({
      code: 'ledger/wrong-chain',
    });
    // Port 9 (discard) is never an Ethereum node.
    const dead = connectRpc({ url: 'http://127.0.0.1:9' });
    await expect(connectLedger({ rpc: dead, anchor: job.anchor })).rejects.toMatchObject({
      code: 'ledger/unreachable',
    });
  });

  it('asks for the vault where none was named', async () => {
    const bare = await connectLedger({ rpc: test.rpc, anchor: job.anchor });
    await expect(bare.claimed(alice)).rejects.toMatchObject({ code: 'ledger/no-vault' });
  });
});

describe('a rewound job', () => {
  it('shows the records that count now, and none that were taken back', async () => {
    const arbiter = await test.openOutbox(wallet('arbiter'));
    const coordinator = await test.openOutbox(wallet('rewound coordinator'));
    const rewindable = await deployTestJob(test, coordinator, { arbiter: arbiter.address });
    const write = createLedgerWriter(coordinator, rewindable);
    const read = await connectLedger({ rpc: test.rpc, ...rewindable });
    await write.anchor(first);
    await write.anchorMany([second, roundRecord(3)]);
    const parentHead = await read.headOf(1);
    const data = loadArtifact('RoundAnchor').abi.encodeFunctionData('rewind', [
      second,
      parentHead,
      roundRecord(3),
    ]) as Hex;
    await arbiter.send({ id: 'rewind', to: rewindable.anchor, data });
    expect((await read.records()).map(({ record }) => record)).toEqual([first]);
    expect(await read.latestRound()).toBe(1);
    expect((await read.facts()).minAttempt).toBe(1);
    const again = roundRecord(2, { attempt: 1, modelRoot: first.seed });
    await write.anchor(again);
    expect((await read.records()).map(({ record }) => record)).toEqual([first, again]);
  });

  it('does not believe events that the contract contradicts', async () => {
    const forged = {
      url: test.rpc.url,
      call: async (method: string, parameters: readonly unknown[]) => {
        const result = await test.rpc.call(method, parameters);
        return method === 'eth_getLogs' ? (result as unknown[]).slice(0, -1) : result;
      },
    };
    const lying = await connectLedger({ rpc: forged, anchor: job.anchor });
    await expect(lying.records()).rejects.toMatchObject({ code: 'ledger/inconsistent' });
  });
});
