import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PendingRow } from '../../contracts/outbox/outbox-store.ts';
import { readTransaction } from '../../contracts/outbox/transaction.ts';
import { startTestChain, type TestChain } from './harness.ts';
import { createLab, transfer, until } from './outbox-lab.ts';

let test: TestChain;
beforeAll(async () => {
  test = await startTestChain();
});
afterAll(() => test.close());

const GWEI = 10n ** 9n;

describe('a transaction that blocks pass by', () => {
  it('is replaced at a higher fee, once the base fee has left it behind, and is done once', async () => {
    await using lab = await createLab(test);
    const outbox = await lab.open({ bumpAfterBlocks: 2 });
    const receipt = outbox.send(transfer('slow'));
    await lab.pooled('slow');
    const first = (await lab.store.get('slow')) as PendingRow;
    await lab.spike();
    await lab.spike();
    const bumped = await lab.told('bumped');
    const row = (await lab.store.get('slow')) as PendingRow;
    expect(row.nonce).toBe(first.nonce);
    expect(row.hashes).toEqual([bumped.data['transactionHash'], ...first.hashes]);
    const [before, after] = [first, row].map(({ rawTransaction }) => readTransaction(rawTransaction));
    expect(after?.call).toEqual(before?.call);
    await lab.mine();
    expect((await receipt).transactionHash).toBe(row.hashes[0]);
    expect(await lab.received()).toBe(1n);
    expect(await lab.sent()).toBe(1);
  });

  it('offers at least a tenth more of both fees each time, which real pools accept, up to the ceiling, and waits there', async () => {
    await using lab = await createLab(test);
    const offers: { fee: bigint; tip: bigint }[] = [];
    const rpc = lab.altered(async (method, parameters, ask) => {
      const answer = await ask();
      if (method !== 'eth_sendRawTransaction') return answer;
      const { fees } = readTransaction(parameters[0] as `0x${string}`);
      offers.push({ fee: fees.maxFeePerGas, tip: fees.maxPriorityFeePerGas });
      return answer;
    });
    const ceiling = 20n * GWEI;
    // The patience of no block at all: every look raises.
    const outbox = await lab.open({ rpc, bumpAfterBlocks: 0, maxFeePerGasWei: ceiling });
    const receipt = outbox.send(transfer('dear'));
    const notice = await lab.told('ceilingReached');
    expect(notice).toMatchObject({ level: 'warn', code: 'outbox/fee-ceiling', data: { id: 'dear', nonce: 0 } });
    expect(outbox.status().lastError).toMatchObject({ code: 'outbox/fee-ceiling' });
    expect(offers.length).toBeGreaterThan(10);
    offers.slice(1).forEach(({ fee, tip }, index) => {
      const before = offers[index] as { fee: bigint; tip: bigint };
      expect(fee * 10n).toBeGreaterThanOrEqual(before.fee * 11n);
      expect(tip * 10n).toBeGreaterThanOrEqual(before.tip * 11n);
      expect(fee).toBeLessThanOrEqual(ceiling);
    });
    // It goes on by itself when a block takes what is offered.
    await lab.mine();
    await receipt;
    expect(outbox.status()).not.toHaveProperty('lastError');
    expect(lab.notices.filter(({ type }) => type === 'ceilingReached')).toHaveLength(1);
    expect(await lab.received()).toBe(1n);
  });

  it('waits below a base fee above the ceiling, and goes on when that has fallen', async () => {
    await using lab = await createLab(test);
    await lab.spike(50n);
    const outbox = await lab.open({ maxFeePerGasWei: 30n * GWEI, bumpAfterBlocks: 1 });
    const receipt = outbox.send(transfer('patient'));
    await lab.told('ceilingReached');
    expect(await lab.store.get('patient')).toMatchObject({ state: 'pending' });
    await lab.spike(10n);
    await lab.told('broadcastAgain');
    await lab.mine();
    await receipt;
    expect(await lab.received()).toBe(1n);
  });

  it('raises only the one that is next', async () => {
    await using lab = await createLab(test);
    const outbox = await lab.open({ bumpAfterBlocks: 1 });
    const receipts = Promise.all(['a', 'b', 'c'].map((id) => outbox.send(transfer(id))));
    await lab.pooled('c');
    await lab.spike();
    await lab.told('bumped');
    expect(lab.notices.filter(({ type }) => type === 'bumped').map(({ data }) => data['id'])).toEqual(['a']);
    await until(async () => {
      await lab.mine();
      return (await lab.sent()) === 3;
    });
    await receipts;
    expect(await lab.received()).toBe(3n);
  });
});

describe('cancelling', () => {
  it('takes a pending transaction back: the nonce is used, nothing is done', async () => {
    await using lab = await createLab(test);
    const outbox = await lab.open();
    const sending = outbox.send(transfer('regretted'));
    sending.catch(() => undefined);
    await lab.pooled('regretted');
    const cancelling = outbox.cancel('regretted');
    await lab.cancellationPooled('regretted');
    expect(outbox.status().pending).toMatchObject([{ id: 'regretted', nonce: 0, cancelling: true }]);
    expect(outbox.status().pending[0]?.hashes).toHaveLength(2);
    await lab.mine();
    expect(await cancelling).toMatchObject({ cancelled: true, receipt: { gasUsed: 21_000 } });
    await expect(sending).rejects.toMatchObject({ code: 'outbox/cancelled' });
    expect([await lab.sent(), await lab.received()]).toEqual([1, 0n]);
    // Whoever wants it after all sends it again: a new transaction.
    const again = outbox.send(transfer('regretted'));
    await lab.pooled('regretted');
    await lab.mine();
    expect(await again).toMatchObject({ gasUsed: 21_000 });
    expect([await lab.sent(), await lab.received()]).toEqual([2, 1n]);
  });

  it('says so when the transaction was mined first', async () => {
    await using lab = await createLab(test);
    let deaf = false;
    const rpc = lab.altered((method, parameters, ask) => {
      // The node that is asked never sees the cancellation.
      if (deaf && method === 'eth_sendRawTransaction') return parameters[0];
      return ask();
    });
    const outbox = await lab.open({ rpc });
    const sending = outbox.send(transfer('quick'));
    await lab.pooled('quick');
    deaf = true;
    const cancelling = outbox.cancel('quick');
    await lab.told('cancelRequested');
    await lab.mine();
    expect(await cancelling).toMatchObject({ cancelled: false, receipt: { transactionHash: expect.any(String) } });
    await sending;
    expect(await lab.received()).toBe(1n);
  });

  it('raises the fee of the cancellation when blocks pass it by', async () => {
    await using lab = await createLab(test);
    const outbox = await lab.open({ bumpAfterBlocks: 1 });
    const sending = outbox.send(transfer('stuck'));
    sending.catch(() => undefined);
    await lab.pooled('stuck');
    const cancelling = outbox.cancel('stuck');
    // A block before it is in the pool does not pass it by.
    await lab.cancellationPooled('stuck');
    await lab.spike(40n);
    await lab.told('bumped');
    const row = await lab.store.get('stuck');
    expect([row?.hashes.length, row?.cancellation?.hashes.length]).toEqual([1, 2]);
    await lab.mine();
    expect((await cancelling).receipt?.transactionHash).toBe(row?.cancellation?.hashes[0]);
    expect(await lab.received()).toBe(0n);
  });

  it('is refused for what is not pending, and where the ceiling leaves no room', async () => {
    await using lab = await createLab(test);
    const outbox = await lab.open({ maxFeePerGasWei: 2n * GWEI });
    await expect(outbox.cancel('never sent')).rejects.toMatchObject({
      ...{ code: 'outbox/not-pending', data: { state: 'unknown' } },
    });
    const sending = outbox.send(transfer('at the ceiling'));
    await lab.pooled('at the ceiling');
    await expect(outbox.cancel('at the ceiling')).rejects.toMatchObject({ code: 'outbox/fee-ceiling' });
    await lab.mine();
    await sending;
    await expect(outbox.cancel('at the ceiling')).rejects.toMatchObject({ data: { state: 'confirmed' } });
  });
});
