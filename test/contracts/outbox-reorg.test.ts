import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toQuantity } from '../../contracts/rpc.ts';
import { startTestChain, type TestChain } from './harness.ts';
import { createLab, transfer, until } from './outbox-lab.ts';

let test: TestChain;
beforeAll(async () => {
  test = await startTestChain();
});
afterAll(() => test.close());

describe('depth', () => {
  it('is what makes a transaction count', async () => {
    await using lab = await createLab(test);
    const outbox = await lab.open({ confirmations: 4 });
    let done = false;
    const receipt = outbox.send(transfer('deep')).then((found) => {
      done = true;
      return found;
    });
    await lab.pooled('deep');
    for (let blocks = 1; blocks < 4; blocks++) {
      await lab.mine();
      await lab.looked(2);
      expect([blocks, done]).toEqual([blocks, false]);
    }
    await lab.mine();
    const { blockNumber } = await receipt;
    expect(await test.rpc.call('eth_blockNumber', [])).toBe(toQuantity(blockNumber + 3));
  });

  it('may be the finality of the chain itself', async () => {
    await using lab = await createLab(test);
    const outbox = await lab.open({ confirmations: 'finalized' });
    const receipt = outbox.send(transfer('final'));
    await lab.pooled('final');
    // The node calls a block final once two epochs of 32 slots are on top of it.
    await lab.mine(64);
    await lab.looked(2);
    expect(await lab.store.get('final')).toMatchObject({ state: 'pending' });
    await lab.mine(2);
    const { blockNumber } = await receipt;
    const final = (await test.rpc.call('eth_getBlockByNumber', ['finalized', false])) as { number: string };
    expect(Number(final.number)).toBeGreaterThanOrEqual(blockNumber);
  });

  it('is never reached on a chain that finalizes nothing, and nothing is done twice meanwhile', async () => {
    await using lab = await createLab(test);
    const rpc = lab.altered((method, parameters, ask) =>
      method === 'eth_getBlockByNumber' && parameters[0] === 'finalized' ? null : ask(),
    );
    const outbox = await lab.open({ rpc, confirmations: 'finalized' });
    const sending = outbox.send(transfer('endless'));
    await lab.pooled('endless');
    await lab.mine(5);
    await lab.looked(5);
    lab.lifetime.abort();
    await expect(sending).rejects.toMatchObject({ code: 'outbox/stopped' });
    expect(await lab.received()).toBe(1n);
  });
});

describe('a reorganization of several blocks', () => {
  it('has what was confirmed on lost blocks broadcast again, in order, each once', async () => {
    await using lab = await createLab(test);
    const outbox = await lab.open();
    for (const id of ['a', 'b', 'c']) {
      const receipt = outbox.send(transfer(id));
      await lab.pooled(id);
      await lab.mine();
      await receipt;
    }
    await lab.mine();
    const [a] = [await lab.store.get('a')];
    await lab.reorg(3);
    expect(await lab.sent()).toBe(1);
    await lab.told('broadcastAgain', 2);
    expect(lab.notices.filter(({ type }) => type === 'reorged').map(({ data }) => data['id'])).toEqual(['c', 'b']);
    await lab.mine();
    await lab.told('confirmed', 5);
    expect([await lab.sent(), await lab.received()]).toEqual([3, 3n]);
    expect(await lab.store.get('a')).toEqual(a);
    const states = (await lab.store.all()).map(({ id, state, nonce }) => [id, state, nonce]);
    expect(states.sort()).toEqual(['a', 'b', 'c'].map((id, nonce) => [id, 'confirmed', nonce]));
  });

  it('is noticed after a restart too', async () => {
    await using lab = await createLab(test);
    const first = new AbortController();
    const receipt = (await lab.open({ signal: first.signal })).send(transfer('early'));
    await lab.pooled('early');
    await lab.mine();
    await receipt;
    first.abort();
    await lab.reorg(2);
    await lab.open();
    expect(await lab.store.get('early')).toMatchObject({ state: 'pending' });
    await lab.mine();
    await lab.told('confirmed', 2);
    expect([await lab.sent(), await lab.received()]).toEqual([1, 1n]);
  });

  it('moves no transaction to another nonce when the lost one is mined again by itself', async () => {
    await using lab = await createLab(test);
    const outbox = await lab.open({ confirmations: 2 });
    const sending = outbox.send(transfer('moved'));
    await lab.pooled('moved');
    await lab.mine();
    const raw = (await lab.store.get('moved'))?.rawTransaction;
    await test.rpc.call('anvil_reorg', [1, [[raw, 0]]]);
    await lab.mine();
    await sending;
    expect((await lab.store.get('moved'))?.hashes).toHaveLength(1);
    expect(await lab.received()).toBe(1n);
  });

  it('is looked for at once when a contract refuses what builds on it', async () => {
    await using lab = await createLab(test);
    // Left alone it would not look again within the time of this test.
    const outbox = await lab.open({ idleIntervalMs: 3_600_000 });
    const receipt = outbox.send(transfer('ground'));
    await lab.pooled('ground');
    await lab.mine();
    await receipt;
    await lab.reorg(1);
    // revert(0, 0)
    const refused = outbox.send({ id: 'built on it', to: null, data: '0x60006000fd' });
    await expect(refused).rejects.toMatchObject({ code: 'ledger/reverted' });
    expect((await lab.told('reorged')).data).toMatchObject({ id: 'ground' });
    await lab.mine();
    await lab.told('confirmed', 2);
    expect([await lab.sent(), await lab.received()]).toEqual([1, 1n]);
  });

  it('is not taken for one where the node has dropped its old blocks', async () => {
    await using lab = await createLab(test);
    const first = new AbortController();
    const receipt = (await lab.open({ signal: first.signal })).send(transfer('old'));
    await lab.pooled('old');
    await lab.mine();
    const { blockNumber } = await receipt;
    first.abort();
    await lab.mine(3);
    // Nothing of so long ago: neither the block nor what was in it.
    const hash = (await lab.store.get('old'))?.hashes[0];
    const forgetful = lab.altered((method, parameters, ask) =>
      (method === 'eth_getBlockByNumber' && parameters[0] === toQuantity(blockNumber)) || parameters[0] === hash
        ? null
        : ask(),
    );
    const outbox = await lab.open({ rpc: forgetful });
    await lab.mine();
    await lab.looked(5);
    const next = outbox.send(transfer('new'));
    await lab.pooled('new');
    await lab.mine();
    await next;
    expect(await lab.store.get('old')).toMatchObject({ state: 'confirmed', nonce: 0 });
    expect(lab.notices.map(({ type }) => type)).toEqual(['confirmed', 'confirmed']);
    expect([await lab.sent(), await lab.received()]).toEqual([2, 2n]);
  });
});

describe('a nonce that another program took', () => {
  it('has the transaction signed again with the next one, and done once', async () => {
    await using lab = await createLab(test);
    const outbox = await lab.open({
      rpc: lab.altered(async (method, _, ask) => {
        // The foreign transaction gets in between the count and the broadcast.
        if (method === 'eth_sendRawTransaction' && (await lab.sent()) === 0) {
          await lab.slip(lab.foreign(0));
          await lab.mine();
        }
        return ask();
      }),
    });
    const sending = outbox.send(transfer('late'));
    const notice = await lab.told('nonceTaken');
    expect(notice).toMatchObject({ code: 'outbox/nonce-taken', data: { id: 'late', nonce: 0, nextNonce: 1 } });
    await until(async () => {
      await lab.mine();
      return (await lab.sent()) === 2;
    });
    await sending;
    expect(await lab.store.get('late')).toMatchObject({ state: 'confirmed', nonce: 1 });
    expect((await lab.store.get('late'))?.hashes).toHaveLength(2);
    expect(await lab.received()).toBe(1001n);
  });

  it('is not given up before the foreign transaction is as deep as asked', async () => {
    await using lab = await createLab(test);
    const outbox = await lab.open({ confirmations: 5 });
    const sending = outbox.send(transfer('waits'));
    await lab.pooled('waits');
    const raw = (await lab.store.get('waits'))?.rawTransaction;
    await test.rpc.call('anvil_dropAllTransactions', []);
    await lab.slip(lab.foreign(0));
    await lab.mine(3);
    await lab.looked(5);
    // The chain loses the foreign transaction, and has this one instead: had it been signed again, it would be done twice.
    await test.rpc.call('anvil_reorg', [3, [[raw, 0]]]);
    await lab.mine(5);
    await sending;
    expect(lab.notices.filter(({ type }) => type === 'nonceTaken')).toEqual([]);
    expect([await lab.sent(), await lab.received()]).toEqual([1, 1n]);
  });

  it('leaves a gap when it vanishes after all, which is filled, so that nobody waits for ever', async () => {
    await using lab = await createLab(test);
    const outbox = await lab.open({
      rpc: lab.altered(async (method, _, ask) => {
        if (method === 'eth_sendRawTransaction' && lab.notices.length === 0 && (await lab.sent()) === 0) {
          await lab.slip(lab.foreign(0));
          await lab.mine();
        }
        return ask();
      }),
    });
    const sending = outbox.send(transfer('behind'));
    await lab.told('nonceTaken');
    await lab.reorg(1);
    await test.rpc.call('anvil_dropAllTransactions', []);
    const notice = await lab.told('gapFilled');
    expect(notice.data).toMatchObject({ nonce: 0 });
    await until(async () => {
      await lab.mine();
      return (await lab.sent()) === 2;
    });
    await sending;
    expect(await lab.received()).toBe(1n);
  });

  it('is told of while the foreign transaction only waits in the pool', async () => {
    await using lab = await createLab(test);
    // Priced so that no block takes it for now.
    await lab.slip(lab.foreign(0, 1000n, 5n));
    const outbox = await lab.open();
    const sending = outbox.send(transfer('blocked'));
    const notice = await lab.told('nonceTaken');
    expect(notice).toMatchObject({ level: 'warn', data: { nonce: 0 } });
    expect(await lab.store.get('blocked')).toMatchObject({ nonce: 1, state: 'pending' });
    await lab.mine();
    await sending;
    expect(await lab.received()).toBe(1001n);
  });
});

describe('a node that forgets', () => {
  it('its pool: what is pending is broadcast again', async () => {
    await using lab = await createLab(test);
    const outbox = await lab.open();
    const receipts = Promise.all([outbox.send(transfer('x')), outbox.send(transfer('y'))]);
    await lab.pooled('y');
    const hash = (await lab.store.get('x'))?.hashes[0];
    await test.rpc.call('anvil_dropTransaction', [hash]);
    await test.rpc.call('anvil_dropAllTransactions', []);
    await lab.told('broadcastAgain', 2);
    await lab.mine();
    await receipts;
    expect([await lab.sent(), await lab.received()]).toEqual([2, 2n]);
  });
});
