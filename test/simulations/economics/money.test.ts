import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quotient, tokensOf, unitsOf } from '../../../simulations/economics/money.ts';

describe('amounts', () => {
  it('are read to the smallest unit', () => {
    expect(unitsOf('100')).toBe(100n * 10n ** 18n);
    expect(unitsOf('0.5')).toBe(5n * 10n ** 17n);
    expect(unitsOf(0.1)).toBe(10n ** 17n);
    expect(unitsOf(1e-7)).toBe(10n ** 11n);
    expect(unitsOf('0.000000000000000001')).toBe(1n);
    expect(unitsOf('1.100000000000000000000')).toBe(11n * 10n ** 17n);
  });

  it.each(['', '-1', '1e3', '1,5', '.5', '0.0000000000000000001', 'NaN'])('are not %j', (text) => {
    expect(() => unitsOf(text)).toThrow(expect.objectContaining({ code: 'money/not-an-amount' }));
  });

  it('come back as tokens to twelve places', () => {
    expect(tokensOf(1_234_567_890_123n * 10n ** 6n)).toBe(1.234567890123);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), fc.integer({ min: 0, max: 999_999 }), (whole, places) => {
        const tokens = `${whole}.${String(places).padStart(6, '0')}`;
        expect(tokensOf(unitsOf(tokens))).toBeCloseTo(Number(tokens), 6);
      }),
    );
  });

  it('are divided to twelve places, and by nothing not at all', () => {
    expect(quotient(1n, 3n)).toBe(0.333333333333);
    expect(quotient(-5n, 2n)).toBe(-2.5);
    expect(quotient(1n, 0n)).toBeNull();
  });
});
