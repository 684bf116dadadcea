import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadArtifact } from '../../contracts/artifacts.ts';
import type { DeployedJob } from '../../contracts/deploy.ts';
import { connectLedger, type Ledger } from '../../contracts/ledger/ledger.ts';
import { createLedgerWriter } from '../../contracts/ledger/ledger-writer.ts';
import { createOutbox, type Outbox } from '../../contracts/outbox/outbox.ts';
import { type ConfirmedRow, createMemoryOutboxStore } from '../../contracts/outbox/outbox-store.ts';
import { readTransaction, signTransaction } from '../../contracts/outbox/transaction.ts';
import type { Rpc } from '../../contracts/rpc.ts';
import { createAnchor } from '../../coordinator/anchor-record.ts';
import type { Hex } from '../../shared/bytes.ts';
import { deployTestJob, ONE_COIN, roundRecord, startTestChain, type TestChain, wallet } from '../contracts/harness.ts';
import { until } from '../contracts/outbox-lab.ts';

const GWEI = 10n ** 9n;
const guardian = wallet('a guardian');
let test: TestChain;
let job: DeployedJob;
let ledger: Ledger;
let coordinators = 0;
let coordinator: ReturnType<typeof wallet>;

beforeAll(async () => {
  test = await startTestChain();
});
afterAll(() => test.close());
beforeEach(async () => {
  coordinator = wallet(`coordinator ${++coordinators}`);
  job = await deployTestJob(test, await open(), { guardian: guardian.address });
  ledger = await connectLedger({ rpc: test.rpc, anchor: job.anchor, vault: job.vault });
});

/** The coordinator's way to the chain; each of them has forgotten what the one before it sent. */
const open = (): Promise<Outbox> => test.openOutbox(coordinator);
const anchorBy = (
  outbox: Outbox,
  read: Pick<Ledger, 'latestRound' | 'records'> = ledger,
  rpc: Pick<Rpc, 'call'> = test.rpc,
) => createAnchor(createLedgerWriter(outbox, job), read, rpc);
const rounds = async (): Promise<number[]> => (await ledger.records()).map(({ record }) => record.round);
const sent = async (): Promise<number> =>
  Number(await test.rpc.call('eth_getTransactionCount', [coordinator.address, 'latest']));

describe('a record', () => {
  it('is anchored once, and answered with what the chain says of it, by a coordinator that has lost its outbox too', async () => {
    const first = anchorBy(await open());
    const told = [await first(roundRecord(1)), await first(roundRecord(2))];
    const before = await sent();
    const forgetful = anchorBy(await open());
    expect([await forgetful(roundRecord(1)), await forgetful(roundRecord(2))]).toEqual(told);
    expect(await sent()).toBe(before);
    expect(Number(told[0]?.gasUsed)).toBeGreaterThan(21_000);
    await forgetful(roundRecord(3));
    expect(await rounds()).toEqual([1, 2, 3]);
  });

  it('is found on the chain where a restored outbox has it pending at another fee, too low to have been the one', async () => {
    const store = createMemoryOutboxStore();
    const told = await anchorBy(await test.openOutbox(coordinator, store))(roundRecord(1));
    const [row] = (await store.all()) as [ConfirmedRow];
    const { call, gasLimit } = readTransaction(row.rawTransaction);
    const terms = { chainId: 31337n, nonce: row.nonce, gasLimit, maxFeePerGas: GWEI, maxPriorityFeePerGas: 1n };
    const { raw, hash } = signTransaction(coordinator, call, terms);
    const { id, nonce } = row;
    const restored = createMemoryOutboxStore([{ id, nonce, rawTransaction: raw, hashes: [hash], state: 'pending' }]);
    const before = await sent();
    expect(await anchorBy(await test.openOutbox(coordinator, restored))(roundRecord(1))).toEqual(told);
    expect(await restored.get(id)).toMatchObject({ state: 'failed', reason: 'replaced' });
    expect(await sent()).toBe(before);
  });

  it('is refused for good where the chain has another in its place', async () => {
    await anchorBy(await open())(roundRecord(1, { attempt: 1 }));
    const [anchored] = await ledger.records();
    await expect(anchorBy(await open())(roundRecord(1))).rejects.toMatchObject({
      code: 'coordinator/behind-chain',
      data: { round: 1, attempt: 0, transactionHash: anchored?.transactionHash },
    });
  });

  it('is refused as the contract refuses it where the chain has none, and no record is read for that', async () => {
    let reads = 0;
    const counting = { ...ledger, records: () => Promise.reject(new Error(`read ${++reads}`)) };
    const anchor = anchorBy(await open(), counting);
    await expect(anchor(roundRecord(2))).rejects.toMatchObject({
      code: 'ledger/reverted',
      data: { errorName: 'RoundAnchorOutOfOrder' },
    });
    expect(reads).toBe(0);
  });

  it('is refused where its receipt is gone, until it can be had', async () => {
    await anchorBy(await open())(roundRecord(1));
    const pruned: Pick<Rpc, 'call'> = {
      call: async (method, parameters) =>
        method === 'eth_getTransactionReceipt' ? null : test.rpc.call(method, parameters),
    };
    const outbox = await open();
    await expect(anchorBy(outbox, ledger, pruned)(roundRecord(1))).rejects.toMatchObject({ code: 'ledger/reverted' });
    expect(await anchorBy(outbox)(roundRecord(1))).toMatchObject({ blockNumber: expect.any(Number) });
  });

  it('is not looked for where the chain is away', async () => {
    const outbox = await open();
    const lost = new TypeError('fetch failed');
    const anchor = createAnchor({ anchor: () => Promise.reject(lost) }, ledger, test.rpc);
    await expect(anchor(roundRecord(1))).rejects.toBe(lost);
    await anchorBy(outbox)(roundRecord(1));
    await expect(anchor(roundRecord(1))).rejects.toBe(lost);
  });

  it('that a pause caught on its way is anchored once the pause is over', async () => {
    const anchor = anchorBy(await open());
    const { rpc } = test;
    await test.chain.fund(guardian.address, ONE_COIN);
    // Pays more, and so comes first in a block.
    const fees = async () => ({ maxFeePerGas: 100n * GWEI, maxPriorityFeePerGas: 50n * GWEI });
    await using lifetime = endless();
    const guard = await createOutbox({
      ...{ rpc, fees, wallet: guardian, store: createMemoryOutboxStore(), pollIntervalMs: 10, signal: lifetime.signal },
    });
    const { abi } = loadArtifact('RoundAnchor');
    const tell = (name: string, parameters: readonly unknown[]) =>
      guard.send({ id: name, to: job.anchor, data: abi.encodeFunctionData(name, parameters) as Hex });
    await rpc.call('evm_setAutomine', [false]);
    const caught = anchor(roundRecord(1));
    const refused = expect(caught).rejects.toMatchObject({ code: 'outbox/reverted' });
    await waiting(1);
    const paused = tell('pause', [3600]);
    await waiting(2);
    await rpc.call('evm_mine', []);
    await rpc.call('evm_setAutomine', [true]);
    await Promise.all([refused, paused]);
    const spent = await sent();
    await expect(anchor(roundRecord(1))).rejects.toMatchObject({ code: 'outbox/reverted' });
    expect(await sent()).toBe(spent);
    await tell('resume', []);
    await anchor(roundRecord(1));
    expect(await rounds()).toEqual([1]);
    expect(await sent()).toBe(spent + 1);
  });
});

/** Waits until so many transactions wait for a block. */
async function waiting(count: number): Promise<void> {
  await until(async () => {
    const { pending } = (await test.rpc.call('txpool_status', [])) as { pending: Hex };
    return Number(pending) === count;
  });
}

/** A lifetime that ends with its scope. */
function endless(): AsyncDisposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  return { signal: controller.signal, [Symbol.asyncDispose]: async () => controller.abort() };
}
