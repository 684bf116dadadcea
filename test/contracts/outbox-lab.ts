import type { OutboxNotice } from '../../contracts/outbox/notices.ts';
import { createOutbox, type Outbox, type OutboxOptions } from '../../contracts/outbox/outbox.ts';
import { createMemoryOutboxStore, type OutboxStore } from '../../contracts/outbox/outbox-store.ts';
import { signTransaction } from '../../contracts/outbox/transaction.ts';
import { quantity, type Rpc, toQuantity } from '../../contracts/rpc.ts';
import type { Signer } from '../../contracts/wallet.ts';
import type { Hex } from '../../shared/bytes.ts';
import { ONE_COIN, type TestChain, wallet } from './harness.ts';

const GWEI = 10n ** 9n;
const receiver: Hex = `0x${'be'.repeat(20)}`;

export const transfer = (id: string, value = 1n) => ({ id, to: receiver, data: '0x' as Hex, value });

/** A condition that becomes true by what other parts of the process do. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise(setImmediate);
}

let wallets = 0;

/** One wallet, one store and any number of outboxes on a chain that mines when it is told to. */
export interface Lab extends AsyncDisposable {
  readonly signer: Signer;
  readonly store: OutboxStore;
  readonly notices: OutboxNotice[];
  readonly lifetime: AbortController;
  open(changes?: Partial<OutboxOptions>): Promise<Outbox>;
  /** Mines so many blocks. */
  mine(blocks?: number): Promise<void>;
  /** Makes the next block too dear for what is in the pool, and mines it. */
  spike(baseFeeGwei?: bigint): Promise<void>;
  reorg(depth: number): Promise<void>;
  /** Waits until the node has what was signed last for this id. */
  pooled(id: string): Promise<void>;
  /** Waits until the node holds the first transaction that takes it back. */
  cancellationPooled(id: string): Promise<void>;
  /** Waits until the outboxes have looked at the chain so many times from beginning to end. */
  looked(times?: number): Promise<void>;
  /** Waits for a notice of this type. */
  told(type: OutboxNotice['type'], times?: number): Promise<OutboxNotice>;
  /** Transactions of the wallet that the chain counts now. */
  sent(): Promise<number>;
  /** What the receiver of all transfers has got since this lab began, in wei. */
  received(): Promise<bigint>;
  /** A transaction of the same wallet by somebody else, signed but not sent. */
  foreign(nonce: number, value?: bigint, feeGwei?: bigint): Hex;
  /** Broadcasts by another program. */
  slip(raw: Hex): Promise<void>;
  /** The chain with some methods answered by `change`. */
  altered(change: (method: string, parameters: readonly unknown[], ask: () => Promise<unknown>) => unknown): Rpc;
}

export async function createLab({ chain, rpc }: TestChain): Promise<Lab> {
  wallets += 1;
  const signer = wallet(`lab ${process.pid} ${wallets}`);
  const store = createMemoryOutboxStore();
  const lifetime = new AbortController();
  const notices: OutboxNotice[] = [];
  const balance = async () => BigInt((await rpc.call('eth_getBalance', [receiver, 'latest'])) as string);
  await rpc.call('evm_setAutomine', [false]);
  await chain.fund(signer.address, 10n * ONE_COIN);
  // Whatever an earlier test drove the base fee to.
  await rpc.call('anvil_setNextBlockBaseFeePerGas', [toQuantity(GWEI)]);
  await rpc.call('evm_mine', []);
  const before = await balance();
  let looks = 0;
  const watched = (inner: Rpc): Rpc => ({
    get url() {
      return inner.url;
    },
    call(method, parameters) {
      if (method === 'eth_getTransactionCount' && parameters[1] === 'latest') looks += 1;
      return inner.call(method, parameters);
    },
  });
  const known = async (hash: string | undefined) =>
    hash !== undefined && (await rpc.call('eth_getTransactionByHash', [hash])) !== null;
  const mine = async (blocks = 1) => {
    for (let block = 0; block < blocks; block++) await rpc.call('evm_mine', []);
  };
  return {
    signer,
    store,
    notices,
    lifetime,
    open: (changes = {}) =>
      createOutbox({
        ...{ wallet: signer, store, pollIntervalMs: 5, idleIntervalMs: 20, signal: lifetime.signal },
        onNotice: (notice) => notices.push(notice),
        ...changes,
        ...(changes.rpcUrls === undefined ? { rpc: watched(changes.rpc ?? rpc) } : {}),
      }),
    pooled: (id) => until(async () => known((await store.get(id))?.hashes[0])),
    cancellationPooled: (id) => until(async () => known((await store.get(id))?.cancellation?.hashes[0])),
    async looked(times = 1) {
      // The one in progress may have begun before; the one after the last must have begun.
      const from = looks;
      await until(() => looks > from + times);
    },
    mine,
    async spike(baseFeeGwei = 20n) {
      await rpc.call('anvil_setNextBlockBaseFeePerGas', [toQuantity(baseFeeGwei * GWEI)]);
      await mine();
    },
    async reorg(depth) {
      await rpc.call('anvil_reorg', [depth, []]);
    },
    async told(type, times = 1) {
      const found = () => notices.filter((notice) => notice.type === type);
      await until(() => found().length >= times);
      return found()[times - 1] as OutboxNotice;
    },
    sent: async () => quantity(await rpc.call('eth_getTransactionCount', [signer.address, 'latest'])),
    received: async () => (await balance()) - before,
    foreign: (nonce, value = 1000n, feeGwei = 200n) =>
      signTransaction(
        signer,
        { to: receiver, data: '0x', value },
        {
          ...{ chainId: 31337n, nonce, gasLimit: 21_000n },
          ...{ maxFeePerGas: feeGwei * GWEI, maxPriorityFeePerGas: 3n * GWEI },
        },
      ).raw,
    slip: async (raw) => {
      await rpc.call('eth_sendRawTransaction', [raw]);
    },
    altered: (change) => ({
      url: rpc.url,
      call: async (method, parameters) => change(method, parameters, () => rpc.call(method, parameters)),
    }),
    async [Symbol.asyncDispose]() {
      lifetime.abort();
      await rpc.call('anvil_dropAllTransactions', []);
    },
  };
}
