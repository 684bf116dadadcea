import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countWindows, splitText, windowStart } from '../../../client/data/split-text.ts';

describe('splitText', () => {
  it('puts every symbol into exactly one part', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 120_000 }), (length) => {
        const { training, heldOut } = splitText(length);
        const all = [...training, ...heldOut].sort((a, b) => a.start - b.start);
        expect(all[0]?.start ?? 0).toBe(0);
        expect(all.at(-1)?.end ?? 0).toBe(length);
        all.slice(1).forEach((stretch, index) => {
          expect(stretch.start).toBe(all[index]?.end);
        });
      }),
    );
  });

  it('holds about a tenth out', () => {
    for (const length of [2_000, 19_999, 20_000, 400_000]) {
      const held = splitText(length).heldOut.reduce((sum, { start, end }) => sum + end - start, 0);
      expect(held / length).toBeGreaterThan(0.08);
      expect(held / length).toBeLessThan(0.12);
    }
  });
});

describe('windows', () => {
  it('stay each inside one stretch and are all different', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2_000, max: 30_000 }), fc.integer({ min: 1, max: 40 }), (length, window) => {
        const { heldOut } = splitText(length);
        const count = countWindows(heldOut, window);
        const starts = Array.from({ length: count }, (_, index) => windowStart(heldOut, window, index));
        expect(new Set(starts).size).toBe(count);
        const isInside = (from: number): boolean => heldOut.some((s) => s.start <= from && from + window <= s.end);
        expect(starts.every(isInside)).toBe(true);
        expect(() => windowStart(heldOut, window, count)).toThrow(RangeError);
      }),
      { numRuns: 20 },
    );
  });
});
