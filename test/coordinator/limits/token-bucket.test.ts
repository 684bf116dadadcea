import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTokenBuckets } from '../../../coordinator/limits/token-bucket.ts';

const rates = fc.record({ perSecond: fc.integer({ min: 1, max: 1000 }), burst: fc.integer({ min: 1, max: 50 }) });
const uses = fc.array(fc.record({ afterMs: fc.nat(500), key: fc.constantFrom('a', 'b', 'c') }), { maxLength: 200 });

describe('token buckets', () => {
  it('never grant one key more than its burst and its rate since', () => {
    fc.assert(
      fc.property(rates, uses, (rate, script) => {
        let now = 0;
        const buckets = createTokenBuckets(rate, () => now);
        const granted: Record<string, number> = { a: 0, b: 0, c: 0 };
        for (const { afterMs, key } of script) {
          now += afterMs;
          if (buckets.take(key) === 0) granted[key] = (granted[key] ?? 0) + 1;
          expect(granted[key]).toBeLessThanOrEqual(rate.burst + (now * rate.perSecond) / 1000 + 1e-6);
        }
      }),
    );
  });

  it('give a key the same whatever all other keys do', () => {
    fc.assert(
      fc.property(rates, uses, (rate, script) => {
        let now = 0;
        const shared = createTokenBuckets(rate, () => now);
        const alone = createTokenBuckets(rate, () => now);
        for (const { afterMs, key } of script) {
          now += afterMs;
          const wait = shared.take(key);
          if (key === 'a') expect(wait).toBe(alone.take('a'));
        }
      }),
    );
  });

  it('grant again once the wait they name is over, and not a millisecond before it must', () => {
    fc.assert(
      fc.property(rates, (rate) => {
        let now = 0;
        const buckets = createTokenBuckets(rate, () => now);
        for (let taken = 0; taken < rate.burst; taken++) expect(buckets.take('a')).toBe(0);
        const waitMs = buckets.take('a');
        expect(waitMs).toBe(Math.ceil(1000 / rate.perSecond));
        now += waitMs;
        expect(buckets.take('a')).toBe(0);
      }),
    );
  });

  it('take a clock that steps back for one that stands still', () => {
    let now = 1000;
    const buckets = createTokenBuckets({ perSecond: 1, burst: 1 }, () => now);
    expect(buckets.take('a')).toBe(0);
    now = 0;
    expect(buckets.take('a')).toBe(1000);
  });

  it('stay bounded whatever keys come, and forget first what says nothing', () => {
    let now = 0;
    const buckets = createTokenBuckets({ perSecond: 1, burst: 2 }, () => now, 100);
    for (let key = 0; key < 60; key++) buckets.take(`early ${key}`);
    now = 5000;
    expect([buckets.take('flooder'), buckets.take('flooder')]).toEqual([0, 0]);
    for (let key = 0; key < 60; key++) buckets.take(`late ${key}`);
    expect(buckets.size).toBeLessThanOrEqual(100);
    expect(buckets.take('flooder')).toBeGreaterThan(0);
    for (let key = 0; key < 100_000; key++) {
      buckets.take(`any ${key}`);
      expect(buckets.size <= 100).toBe(true);
    }
  });
});
