import { describe, expect, it } from 'vitest';
import { searchAround } from '../../../simulations/attacks/golden-section.ts';
import { searchUpwards } from '../../../simulations/attacks/line-search.ts';

/** A hill with its top at a place. */
function hill(top: number): { effect: (x: number) => Promise<number>; tried: number[] } {
  const tried: number[] = [];
  return {
    tried,
    effect: async (x) => {
      tried.push(x);
      return -((x - top) ** 2);
    },
  };
}

describe('searchAround', () => {
  it.each([0.07, 0.3, 1, 5.5, 100, 900])('finds the top of a hill at %d units', async (top) => {
    const { effect, tried } = hill(3 * top);
    const { length, effect: found } = await searchAround(effect, 3, 30);
    expect(Math.abs(length / (3 * top) - 1)).toBeLessThan(1e-5);
    expect(found).toBe(await effect(length));
    expect(tried[0]).toBe(0);
    // Nothing, 15 powers of two, two sections and 30 more, and the one of this test.
    expect(tried).toHaveLength(1 + 15 + 2 + 30 + 1);
  });

  it('ends where nothing is better than nothing', async () => {
    const { effect, tried } = hill(0);
    expect(await searchAround(effect, 1, 30)).toEqual({ length: 0, effect: -0 });
    expect(tried).toHaveLength(16);
  });
});

describe('searchUpwards', () => {
  const settings = { evals: 20, start: 0, delta: 10, ratio: 0.8 };

  it('doubles its steps as long as each is better, then shrinks them', async () => {
    const { effect, tried } = hill(75);
    const best = await searchUpwards(effect, { ...settings, evals: 7 });
    // 0, +10, +20, +40 are better; +80 is not, nor is what 0.8 of it leads to, and again.
    expect(tried).toEqual([0, 10, 30, 70, 150, 134, 70 + 80 * 0.8 * 0.8]);
    expect(best).toBe(70);
  });

  it('takes the first of equals, and looks as often as it is told', async () => {
    const tried: number[] = [];
    const flat = async (x: number): Promise<number> => {
      tried.push(x);
      return 1;
    };
    expect(await searchUpwards(flat, { ...settings, start: 3 })).toBe(3);
    expect(tried).toHaveLength(20);
    expect(await searchUpwards(flat, { ...settings, evals: 1 })).toBe(0);
    expect(tried).toHaveLength(21);
  });
});
