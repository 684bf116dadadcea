import { Transaction } from 'ethers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadArtifact } from '../../contracts/artifacts.ts';
import { LedgerError } from '../../contracts/ledger/ledger-error.ts';
import { createOutbox, type OutboxOptions } from '../../contracts/outbox/outbox.ts';
import { createMemoryOutboxStore, type OutboxRow, type OutboxStore } from '../../contracts/outbox/outbox-store.ts';
import type { Rpc } from '../../contracts/rpc.ts';
import type { Signer } from '../../contracts/wallet.ts';
import type { Hex } from '../../shared/bytes.ts';
import { ONE_COIN, startTestChain, type TestChain, wallet } from './harness.ts';

let test: TestChain;
let lifetime: AbortController;
let signer: Signer;
let store: OutboxStore;
let wallets = 0;

beforeAll(async () => {
  test = await startTestChain();
});
afterAll(() => test.close());
beforeEach(async () => {
  lifetime = new AbortController();
  wallets += 1;
  signer = wallet(`sender ${wallets}`);
  store = createMemoryOutboxStore();
  await test.chain.fund(signer.address, 10n * ONE_COIN);
});
afterEach(() => lifetime.abort());

const receiver: Hex = `0x${'be'.repeat(20)}`;
const transfer = (id: string, value = 1n) => ({ id, to: receiver, data: '0x' as Hex, value });
const open = (changes: Partial<OutboxOptions> = {}) =>
  createOutbox({ rpc: test.rpc, wallet: signer, store, pollIntervalMs: 5, signal: lifetime.signal, ...changes });
const sent = async () => Number(await test.rpc.call('eth_getTransactionCount', [signer.address, 'latest']));
const balance = async () => BigInt((await test.rpc.call('eth_getBalance', [receiver, 'latest'])) as Hex);

/** The test chain with some methods answered by `change`. */
function altered(
  change: (method: string, parameters: readonly unknown[], ask: () => Promise<unknown>) => unknown,
): Rpc {
  const call: Rpc['call'] = async (method, parameters) =>
    change(method, parameters, () => test.rpc.call(method, parameters));
  return { url: test.rpc.url, call };
}

const away = () => {
  throw new LedgerError('ledger/unreachable', 'the node is away');
};

describe('sending', () => {
  it('keeps the signed transaction before it is broadcast', async () => {
    const seen: string[] = [];
    const rpc = altered(async (method, parameters, ask) => {
      if (method === 'eth_sendRawTransaction') {
        const row = await store.get('one');
        seen.push(row?.state ?? 'nothing');
        expect(row?.rawTransaction).toBe(parameters[0]);
      }
      return ask();
    });
    const receipt = await (await open({ rpc })).send(transfer('one'));
    expect(seen).toEqual(['pending']);
    expect(receipt).toMatchObject({ gasUsed: 21_000, blockNumber: expect.any(Number) });
    expect(await store.get('one')).toMatchObject({ state: 'confirmed', receipt, hashes: [receipt.transactionHash] });
    const mined = (await test.rpc.call('eth_getTransactionByHash', [receipt.transactionHash])) as { type: string };
    expect(mined.type).toBe('0x2');
  });

  it('sends an id once, however often and at whatever time it is asked to', async () => {
    const before = await balance();
    const outbox = await open();
    const receipts = await Promise.all([1, 2, 3].map(() => outbox.send(transfer('same'))));
    receipts.push(await outbox.send(transfer('same')));
    expect(new Set(receipts.map((receipt) => receipt.transactionHash)).size).toBe(1);
    expect(await sent()).toBe(1);
    expect(await balance()).toBe(before + 1n);
  });

  it('sends many at once, each once, without a gap', async () => {
    const before = await balance();
    const outbox = await open();
    const receipts = await Promise.all(Array.from({ length: 20 }, (_, index) => outbox.send(transfer(`id ${index}`))));
    expect(new Set(receipts.map((receipt) => receipt.transactionHash)).size).toBe(20);
    expect((await store.all()).map((row) => row.nonce).sort((a, b) => a - b)).toEqual([...Array(20).keys()]);
    expect(await balance()).toBe(before + 20n);
  });

  it('refuses an id that stands for another transaction', async () => {
    const outbox = await open();
    await outbox.send(transfer('mine', 1n));
    await expect(outbox.send(transfer('mine', 2n))).rejects.toMatchObject({ code: 'outbox/id-reused' });
    expect(await sent()).toBe(1);
  });

  it('waits for as many blocks as asked', async () => {
    const outbox = await open({ confirmations: 3 });
    let looks = 0;
    const rpc = altered(async (method, _, ask) => {
      if (method === 'eth_getBlockByNumber') {
        looks += 1;
        await test.rpc.call('evm_mine', []);
      }
      return ask();
    });
    const deep = await open({ rpc, confirmations: 3, store: createMemoryOutboxStore() });
    const receipt = await deep.send(transfer('deep'));
    expect(looks).toBeGreaterThanOrEqual(2);
    expect(Number(await test.rpc.call('eth_blockNumber', []))).toBeGreaterThanOrEqual(receipt.blockNumber + 2);
    expect(outbox.chainId).toBe(31337n);
  });
});

describe('failures', () => {
  it('says that a call would revert, and uses no nonce', async () => {
    const { abi, bytecode } = loadArtifact('FedToken');
    const outbox = await open();
    const data = (bytecode + abi.encodeDeploy([signer.address, 5n]).slice(2)) as Hex;
    const { contractAddress } = await outbox.send({ id: 'token', to: null, data });
    const call = { to: contractAddress as Hex, data: abi.encodeFunctionData('transfer', [receiver, 6n]) as Hex };
    await expect(outbox.send({ id: 'too much', ...call })).rejects.toMatchObject({
      code: 'ledger/reverted',
      data: { errorName: 'ERC20InsufficientBalance' },
    });
    expect(await store.get('too much')).toBeUndefined();
    expect(await sent()).toBe(1);
  });

  /** A token that somebody else has, a node that lets every call pass at first, and a transfer of what is not there. */
  async function overdrawn(owner: Signer) {
    const { abi, bytecode } = loadArtifact('FedToken');
    const data = (bytecode + abi.encodeDeploy([owner.address, 5n]).slice(2)) as Hex;
    const { contractAddress } = await (await open()).send({ id: 'token', to: null, data });
    const to = contractAddress as Hex;
    const give = (whom: Hex): Hex => abi.encodeFunctionData('transfer', [whom, 5n]) as Hex;
    // Its estimate is wrong, as when another transaction comes first.
    const hopeful = altered((method, _, ask) => (method === 'eth_estimateGas' ? '0x186a0' : ask()));
    return {
      outbox: await open({ rpc: hopeful }),
      call: { to, data: give(receiver) },
      refill: { to, data: give(signer.address) },
    };
  }

  it('remembers a transaction that was mined but reverted', async () => {
    const { outbox, call } = await overdrawn(wallet('somebody'));
    for (const _ of [1, 2]) {
      await expect(outbox.send({ id: 'failing', ...call })).rejects.toMatchObject({
        code: 'outbox/reverted',
        message: expect.stringContaining('ERC20InsufficientBalance'),
      });
    }
    expect(await sent()).toBe(2);
  });

  it('sends what reverted again once it would succeed, and that once', async () => {
    const owner = wallet('an owner');
    const { outbox, call, refill } = await overdrawn(owner);
    await expect(outbox.send({ id: 'early', ...call })).rejects.toMatchObject({ code: 'outbox/reverted' });
    const first = await store.get('early');
    // The wallet gets what it lacked.
    await (await test.openOutbox(owner)).send({ id: 'refill', ...refill });
    const snapshot = await test.rpc.call('evm_snapshot', []);
    const receipt = await outbox.send({ id: 'early', ...call });
    expect(await (await open()).send({ id: 'early', ...call })).toEqual(receipt);
    expect(await store.get('early')).toMatchObject({ state: 'confirmed', nonce: 2, reverted: first?.hashes });
    expect(await sent()).toBe(3);
    // What has been tried is remembered where the chain loses the last try.
    await test.rpc.call('evm_revert', [snapshot]);
    await test.rpc.call('anvil_mine', ['0x2']);
    const again = await (await open()).send({ id: 'early', ...call });
    expect(again.blockNumber).toBeGreaterThan(receipt.blockNumber);
    expect(await store.get('early')).toMatchObject({ state: 'confirmed', nonce: 2, reverted: first?.hashes });
    expect(await sent()).toBe(3);
  });

  it('gives up what reverts again and again although it should not', async () => {
    const { outbox: honest, call } = await overdrawn(wallet('somebody'));
    await expect(honest.send({ id: 'unlucky', ...call })).rejects.toMatchObject({ code: 'outbox/reverted' });
    const outbox = await open({
      rpc: altered((method, parameters, ask) => {
        if (method === 'eth_estimateGas') return '0x186a0';
        return method === 'eth_call' && parameters[1] === 'latest' ? '0x' : ask();
      }),
    });
    for (let asked = 0; asked < 12; asked++) {
      await expect(outbox.send({ id: 'unlucky', ...call })).rejects.toMatchObject({ code: 'outbox/reverted' });
    }
    // The token's, and eight tries.
    expect(await sent()).toBe(9);
  });

  it('takes a transaction that reverted up again where the chain has lost it since', async () => {
    const owner = wallet('another owner');
    const { outbox, call, refill } = await overdrawn(owner);
    const snapshot = await test.rpc.call('evm_snapshot', []);
    const asked = { id: 'undone', ...call };
    await expect(outbox.send(asked)).rejects.toMatchObject({ code: 'outbox/reverted' });
    await test.rpc.call('evm_revert', [snapshot]);
    await (await test.openOutbox(owner)).send({ id: 'refill', ...refill });
    await outbox.send(asked);
    // The same transaction has come to another end; a second one would have been one too many.
    expect(await store.get('undone')).toMatchObject({ state: 'confirmed', nonce: 1 });
    expect(await sent()).toBe(2);
  });

  it('frees the nonce of a refused transaction, which can be sent again', async () => {
    const outbox = await open({
      rpc: altered((method, _, ask) => (method === 'eth_estimateGas' ? '0x5207' : ask())),
    });
    // 6,242 * 6 / 5 is less than the 21,000 that every transaction uses.
    const stingy = await open({
      rpc: altered((method, _, ask) => (method === 'eth_estimateGas' ? '0x1862' : ask())),
    });
    await expect(stingy.send(transfer('dear'))).rejects.toMatchObject({ code: 'outbox/refused' });
    expect(await store.get('dear')).toMatchObject({ state: 'failed', reason: 'refused', nonce: 0 });
    await outbox.send(transfer('another'));
    await (await open()).send(transfer('dear'));
    expect((await store.all()).map((row) => [row.id, row.state, row.nonce]).sort()).toEqual([
      ['another', 'confirmed', 0],
      ['dear', 'confirmed', 1],
    ]);
  });

  it('survives a node that is away, and an answer that is lost', async () => {
    let broadcasts = 0;
    let looks = 0;
    const shaky = altered(async (method, _, ask) => {
      const answer = await ask();
      if (method === 'eth_sendRawTransaction') {
        broadcasts += 1;
        if (broadcasts === 1) away();
      }
      if (method === 'eth_getTransactionReceipt' && ++looks % 2 === 1) away();
      return answer;
    });
    await (await open({ rpc: shaky })).send(transfer('shaky'));
    expect(await sent()).toBe(1);
  });

  it('refuses the wrong chain', async () => {
    await expect(open({ chainId: 1n })).rejects.toMatchObject({ code: 'ledger/wrong-chain' });
  });

  it('stops waiting when told to, and keeps the row', async () => {
    const deaf = altered((method, _, ask) => {
      if (method === 'eth_sendRawTransaction') lifetime.abort();
      return method === 'eth_sendRawTransaction' ? away() : ask();
    });
    await expect((await open({ rpc: deaf })).send(transfer('later'))).rejects.toMatchObject({ code: 'outbox/stopped' });
    expect(await store.get('later')).toMatchObject({ state: 'pending', nonce: 0 });
    expect(await sent()).toBe(0);
  });
});

describe('a restart', () => {
  // A process that dies at any call to the node or the store is one whose later calls never happen.
  async function killedAt(step: number): Promise<boolean> {
    let steps = 0;
    let dead = false;
    const count = () => {
      if (dead) return false;
      steps += 1;
      if (steps > step) dead = true;
      return !dead;
    };
    const end = new AbortController();
    const die = (): never => {
      end.abort();
      throw new Error('killed');
    };
    const rpc = altered((_, __, ask) => (count() ? ask() : die()));
    const dying: OutboxStore = {
      put: async (row) => (count() ? store.put(row) : die()),
      get: async (id) => (count() ? store.get(id) : die()),
      all: async () => (count() ? store.all() : die()),
    };
    await open({ rpc, store: dying, signal: end.signal })
      .then((outbox) => Promise.all([outbox.send(transfer('a', 1n)), outbox.send(transfer('b', 10n))]))
      .catch(() => undefined);
    end.abort();
    return dead;
  }

  it('neither loses nor doubles a transaction, wherever the process was killed', async () => {
    let step = 0;
    for (; ; step++) {
      lifetime.abort();
      lifetime = new AbortController();
      signer = wallet(`killed at ${step}`);
      store = createMemoryOutboxStore();
      await test.chain.fund(signer.address, ONE_COIN);
      const before = await balance();
      const killed = await killedAt(step);
      const outbox = await open();
      await Promise.all([outbox.send(transfer('a', 1n)), outbox.send(transfer('b', 10n))]);
      expect([step, await balance()]).toEqual([step, before + 11n]);
      expect([step, await sent()]).toEqual([step, 2]);
      if (!killed) break;
    }
    expect(step).toBeGreaterThan(10);
  });

  it('broadcasts what it finds pending, unasked', async () => {
    const deaf = altered((method, _, ask) => (method === 'eth_sendRawTransaction' ? away() : ask()));
    const end = new AbortController();
    const lost = (await open({ rpc: deaf, signal: end.signal })).send(transfer('waiting'));
    lost.catch(() => undefined);
    while ((await store.get('waiting')) === undefined) await new Promise(setImmediate);
    end.abort();
    await expect(lost).rejects.toMatchObject({ code: 'outbox/stopped' });
    await open();
    while ((await sent()) === 0) await new Promise(setImmediate);
    expect(await sent()).toBe(1);
  });

  it('broadcasts again what the chain has lost', async () => {
    const snapshot = await test.rpc.call('evm_snapshot', []);
    const outbox = await open();
    await outbox.send(transfer('first'));
    await outbox.send(transfer('second'));
    await test.rpc.call('evm_revert', [snapshot]);
    expect(await sent()).toBe(0);
    await (await open()).send(transfer('third'));
    expect(await sent()).toBe(3);
    expect((await store.all()).map(({ nonce }) => nonce).sort()).toEqual([0, 1, 2]);
  });

  it('finds whichever of the hashes was mined', async () => {
    const outbox = await open();
    const receipt = await outbox.send(transfer('bumped'));
    const row = (await store.get('bumped')) as OutboxRow;
    const { chainId, nonce } = Transaction.from(row.rawTransaction);
    expect([chainId, nonce]).toEqual([31337n, 0]);
    const unmined: Hex = `0x${'77'.repeat(32)}`;
    const { id, rawTransaction, hashes } = row;
    const kept = createMemoryOutboxStore([
      { id, nonce, rawTransaction, hashes: [unmined, ...hashes], state: 'pending' },
    ]);
    expect(await (await open({ store: kept })).send(transfer('bumped'))).toEqual(receipt);
  });
});
