import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ONE_COIN, startTestChain, type TestChain } from './harness.ts';
import { createLab, transfer } from './outbox-lab.ts';

let test: TestChain;
beforeAll(async () => {
  test = await startTestChain();
});
afterAll(() => test.close());

describe('an empty wallet', () => {
  it('is told of with address, balance and need; what was to be sent goes on by itself when it is funded', async () => {
    await using lab = await createLab(test);
    await test.chain.fund(lab.signer.address, 7n);
    const outbox = await lab.open();
    const sending = outbox.send(transfer('poor'));
    const notice = await lab.told('walletEmptied');
    expect(notice).toMatchObject({
      ...{ level: 'warn', code: 'outbox/empty-wallet' },
      data: { address: lab.signer.address, balanceWei: '7', needWei: expect.stringMatching(/^\d{12,}$/) },
    });
    expect(notice.message).toContain(lab.signer.address);
    expect(outbox.status()).toMatchObject({ balanceWei: 7n, lastError: { code: 'outbox/empty-wallet' } });
    // No nonce is used up, and nothing is signed, as long as it cannot be paid.
    expect(await lab.store.all()).toEqual([]);
    await test.chain.fund(lab.signer.address, ONE_COIN);
    await lab.told('walletFunded');
    await lab.pooled('poor');
    await lab.mine();
    await sending;
    expect(await lab.received()).toBe(1n);
    expect(lab.notices.filter(({ type }) => type === 'walletEmptied')).toHaveLength(1);
    expect(outbox.status()).not.toHaveProperty('lastError');
  });

  it('is an error at once where that is asked for', async () => {
    await using lab = await createLab(test);
    await test.chain.fund(lab.signer.address, 0n);
    const outbox = await lab.open({ whenEmpty: 'throw' });
    await expect(outbox.send(transfer('poor'))).rejects.toMatchObject({
      ...{ code: 'outbox/empty-wallet', data: { address: lab.signer.address, balanceWei: '0', id: 'poor' } },
    });
  });

  it('keeps what is signed already, and broadcasts it when it can be paid', async () => {
    await using lab = await createLab(test);
    const outbox = await lab.open();
    const sending = outbox.send(transfer('signed'));
    await lab.pooled('signed');
    await test.rpc.call('anvil_dropAllTransactions', []);
    await test.chain.fund(lab.signer.address, 0n);
    await lab.told('walletEmptied');
    expect(await lab.store.get('signed')).toMatchObject({ state: 'pending' });
    await test.chain.fund(lab.signer.address, ONE_COIN);
    await lab.told('walletFunded');
    await lab.told('broadcastAgain');
    await lab.mine();
    await sending;
    expect([await lab.sent(), await lab.received()]).toEqual([1, 1n]);
  });

  it('counts what pending transactions may still take', async () => {
    await using lab = await createLab(test);
    const outbox = await lab.open({ whenEmpty: 'throw' });
    const sending = outbox.send(transfer('most', 9n * ONE_COIN));
    await lab.pooled('most');
    await expect(outbox.send(transfer('more', 2n * ONE_COIN))).rejects.toMatchObject({ code: 'outbox/empty-wallet' });
    await lab.mine();
    await sending;
    expect(await lab.sent()).toBe(1);
  });

  it('does not raise a fee that it cannot pay: what is signed stays in the race', async () => {
    await using lab = await createLab(test);
    const outbox = await lab.open({ bumpAfterBlocks: 1 });
    const sending = outbox.send(transfer('tight'));
    await lab.pooled('tight');
    const { feeWei } = outbox.status().pending[0] as { feeWei: bigint };
    await test.chain.fund(lab.signer.address, feeWei + 1n);
    await lab.spike();
    await lab.told('walletEmptied');
    expect((await lab.store.get('tight'))?.hashes).toHaveLength(1);
    await lab.spike(1n);
    await lab.told('broadcastAgain');
    await lab.mine();
    await sending;
    expect(await lab.received()).toBe(1n);
  });
});

describe('the status', () => {
  it('shows wallet, endpoint and what is on its way, and asks nobody', async () => {
    await using lab = await createLab(test);
    let time = 1_000_000;
    let asked = 0;
    const rpc = lab.altered((_, __, ask) => {
      asked += 1;
      return ask();
    });
    const outbox = await lab.open({ rpc, now: () => time });
    expect(outbox.status()).toEqual({
      ...{ address: lab.signer.address, balanceWei: 10n * ONE_COIN, pending: [], endpoint: test.rpc.url },
    });
    const receipts = [outbox.send(transfer('one')), outbox.send(transfer('two'))];
    await lab.pooled('two');
    time += 5000;
    const before = asked;
    const { pending } = outbox.status();
    expect(asked).toBe(before);
    expect(pending).toMatchObject([
      { id: 'one', nonce: 0, ageMs: 5000, cancelling: false, hashes: [expect.stringMatching(/^0x[0-9a-f]{64}$/)] },
      { id: 'two', nonce: 1, ageMs: 5000 },
    ]);
    expect(pending[0]?.feeWei).toBeGreaterThan(21_000n * 10n ** 9n);
    await lab.mine();
    await Promise.all(receipts);
    expect(outbox.status().pending).toEqual([]);
  });

  it('names a store that fails, and the outbox goes on once it does not', async () => {
    await using lab = await createLab(test);
    let full = false;
    const store = {
      ...lab.store,
      put: async (row: Parameters<typeof lab.store.put>[0]) => {
        if (full) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
        await lab.store.put(row);
      },
    };
    const outbox = await lab.open({ store });
    const sending = outbox.send(transfer('disk'));
    await lab.pooled('disk');
    full = true;
    await lab.mine();
    await lab.told('stalled');
    expect(outbox.status().lastError).toMatchObject({ code: 'ENOSPC' });
    // Nothing can be promised while nothing can be kept.
    await expect(outbox.send(transfer('another'))).rejects.toThrow('no space left');
    full = false;
    await sending;
    await lab.told('resumed');
    expect(outbox.status()).not.toHaveProperty('lastError');
    expect([await lab.sent(), await lab.received()]).toEqual([1, 1n]);
  });

  it('is not disturbed by a listener that throws', async () => {
    await using lab = await createLab(test);
    const outbox = await lab.open({
      onNotice: () => {
        throw new Error('the logger is broken');
      },
    });
    const sending = outbox.send(transfer('quiet'));
    await lab.pooled('quiet');
    await lab.mine();
    await sending;
    expect(await lab.received()).toBe(1n);
  });
});
