import { describe, expect, it } from 'vitest';
import type { OutboxRow, OutboxStore } from '../../contracts/outbox/outbox-store.ts';

const pending: OutboxRow = {
  id: 'anchor:1:0@0xabc',
  nonce: 3,
  rawTransaction: '0x02aa',
  hashes: ['0x11', '0x22'],
  state: 'pending',
};
const confirmed: OutboxRow = {
  ...pending,
  state: 'confirmed',
  receipt: {
    ...{ transactionHash: '0x11', blockNumber: 7, blockHash: '0x77', gasUsed: 21000, gasPriceWei: '1000000007' },
    contractAddress: '0xcc',
  },
};
const failed: OutboxRow = { ...pending, id: 'other', nonce: 4, state: 'failed', reason: 'refused', detail: 'no funds' };

/** How the suite gets at an implementation. */
export interface OutboxStoreFixture {
  /** The store under test, empty. */
  readonly store: OutboxStore;
  /** Closes the store and opens it on the same data; left out where nothing outlives the process. */
  readonly reopen?: () => Promise<OutboxStore>;
}

/** What every implementation of {@link OutboxStore} must do. */
export function describeOutboxStore(name: string, create: () => Promise<OutboxStoreFixture>): void {
  describe(`outbox store: ${name}`, () => {
    it('is empty at first', async () => {
      const { store } = await create();
      expect(await store.all()).toEqual([]);
      expect(await store.get(pending.id)).toBeUndefined();
    });

    it('returns rows as they were put, the last put of an id counting', async () => {
      const { store } = await create();
      await store.put(pending);
      expect(await store.get(pending.id)).toEqual(pending);
      await store.put(failed);
      await store.put(confirmed);
      expect(await store.get(pending.id)).toEqual(confirmed);
      expect(await store.get(failed.id)).toEqual(failed);
      const all = [...(await store.all())].sort((a, b) => a.nonce - b.nonce);
      expect(all).toEqual([confirmed, failed]);
    });

    it('keeps its own copies', async () => {
      const { store } = await create();
      const row = structuredClone(pending) as { nonce: number } & OutboxRow;
      await store.put(row);
      row.nonce = 99;
      ((await store.get(pending.id)) as { nonce: number }).nonce = 98;
      expect(await store.get(pending.id)).toEqual(pending);
    });

    it('takes rows put at the same time', async () => {
      const { store } = await create();
      const rows = Array.from({ length: 50 }, (_, nonce) => ({ ...pending, id: `row ${nonce}`, nonce }));
      await Promise.all(rows.map((row) => store.put(row)));
      expect([...(await store.all())].sort((a, b) => a.nonce - b.nonce)).toEqual(rows);
    });

    it('keeps rows over a restart, where it is durable', async () => {
      const { store, reopen } = await create();
      await store.put(pending);
      await store.put(failed);
      if (reopen === undefined) return;
      const again = await reopen();
      expect(await again.get(pending.id)).toEqual(pending);
      expect(await again.all()).toHaveLength(2);
    });
  });
}
