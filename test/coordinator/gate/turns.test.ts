import { describe, expect, it } from 'vitest';
import { createTurns, turnsFor } from '../../../coordinator/gate/turns.ts';
import { deferred } from '../../client/deferred.ts';

describe('turns', () => {
  it('lets so much be under way at once, and the rest follow in the order it came, whatever comes of any', async () => {
    const turns = createTurns(2);
    const begun: number[] = [];
    const ends = [0, 1, 2, 3, 4].map(() => deferred<void>());
    const all = ends.map(({ promise }, index) =>
      turns.take(async () => {
        begun.push(index);
        await promise;
        if (index === 1) throw new Error('it failed');
        return index;
      }),
    );
    expect(begun).toEqual([0, 1]);
    ends[1]?.resolve();
    await expect(all[1]).rejects.toThrow('it failed');
    expect(begun).toEqual([0, 1, 2]);
    ends[0]?.resolve();
    expect(await all[0]).toBe(0);
    ends[2]?.resolve();
    expect(await all[2]).toBe(2);
    expect(begun).toEqual([0, 1, 2, 3, 4]);
    for (const { resolve } of ends) resolve();
    expect((await Promise.allSettled(all)).map(({ status }) => status)).toEqual([
      ...['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled'],
    ]);
    // All turns have come back: as many may begin at once as at first.
    const again = [0, 1, 2].map((index) => turns.take(async () => begun.push(index)));
    expect(begun.slice(5)).toEqual([0, 1]);
    await Promise.all(again);
  });

  it.each([
    [128, 64],
    [4 * 2 ** 20, 16],
    [20_000_000, 3],
    [2 ** 30, 1],
  ])('of updates of %i bytes, %i fit', (bytes, count) => {
    expect(turnsFor(bytes)).toBe(count);
  });
});
