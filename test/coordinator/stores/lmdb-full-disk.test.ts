import { afterAll, describe, expect, it } from 'vitest';
import type { JobEvent } from '../../../coordinator/round/events.ts';
import { openLmdbStores } from '../../../coordinator/stores/lmdb-store.ts';
import { mountSmallDisk } from './full-disk.ts';

const disk = mountSmallDisk(8 * 2 ** 20);
afterAll(() => disk?.remove());

const event = (at: number): JobEvent => ({
  ...{ type: 'roundDeclined', at, participant: `0x${'ab'.repeat(20)}`, round: 1, attempt: 0, code: 'x' },
  message: 'y'.repeat(1000),
});
const failed = expect.objectContaining({ code: 'store/write-failed' }) as Error;

describe.skipIf(!disk)('LMDB on a full disk', () => {
  it('refuses what has no room, keeps nothing of it, and goes on when there is room again', async () => {
    const stores = openLmdbStores(`${disk?.folder}/store`);
    const { events, outbox } = stores;
    for (let at = 0; at < 10; at++) await events.append([event(at)]);
    await disk?.fill(12_000);
    let kept = 10;
    let refusal: unknown;
    // A rejection that nobody handles would end the process, and this test with it.
    while (refusal === undefined && kept < 1000) {
      await events.append([event(kept)]).then(
        () => kept++,
        (error: unknown) => {
          refusal = error;
        },
      );
    }
    expect(refusal).toEqual(failed);
    await expect(events.append([event(-1), event(-2), event(-3)])).rejects.toThrow(failed);
    await expect(Promise.all([events.append([event(-4)]), events.append([event(-5)])])).rejects.toThrow(failed);
    const row = { id: 'a', nonce: 0, rawTransaction: `0x${'00'.repeat(5000)}`, hashes: [], state: 'pending' } as const;
    await expect(outbox.put(row)).rejects.toThrow(failed);
    expect(await outbox.get('a')).toBeUndefined();

    await disk?.relieve();
    await events.append([event(kept)]);
    await outbox.put(row);
    await stores.close();
    const again = openLmdbStores(`${disk?.folder}/store`);
    const found: number[] = [];
    for await (const { at } of again.events.read()) found.push(at);
    expect(found).toEqual(Array.from({ length: kept + 1 }, (_, at) => at));
    expect(await again.outbox.get('a')).toEqual(row);
    await again.close();
  });
});
