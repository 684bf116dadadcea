import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { courtSchema, leastSlashAmount } from '../../../shared/round/court-terms.ts';
import { decodeManifest, encodeManifest, parseManifest } from '../../../shared/round/manifest.ts';
import { exampleManifestJson } from './example-manifest.ts';

const COURT = {
  ...{ minStake: '1000', coordinatorBond: '100000', challengerBond: '500', slashAmount: '50000', answerS: 600 },
  ...{ longestRoundS: 1_000_000, faultBps: 5000, proverBps: 2000, compensationBps: 2000 },
  ...{ attestationQuorum: 3, attestationTicks: 10 },
};

/** The field that a manifest with this court is refused for. */
function fieldAtFault(changes: object): unknown {
  try {
    parseManifest({ ...exampleManifestJson(), court: { ...COURT, ...changes } });
    return undefined;
  } catch (error) {
    return (error as { data: { field: string } }).data.field;
  }
}

describe("a manifest's court", () => {
  it('may be left out, and then leaves no trace', () => {
    const without = parseManifest(exampleManifestJson());
    expect('court' in without).toBe(false);
    expect(new TextDecoder().decode(encodeManifest(without))).not.toContain('court');
  });

  it('is part of the bytes', () => {
    const manifest = parseManifest({ ...exampleManifestJson(), court: COURT });
    expect(decodeManifest(encodeManifest(manifest)).court).toEqual(COURT);
  });

  it.each(Object.keys(COURT))('has no default for %s', (name) => {
    expect(fieldAtFault({ [name]: undefined })).toBe(`court.${name}`);
  });

  const wrong: [string, unknown][] = [
    ['minStake', '0'],
    ['minStake', 1000],
    ['minStake', '01'],
    ['minStake', String(2n ** 96n)],
    ['coordinatorBond', '49999'],
    ['challengerBond', '0'],
    ['slashAmount', '-1'],
    ['answerS', 0],
    ['answerS', Math.floor((2 ** 32 - 1) / 9) + 1],
    ['longestRoundS', 1],
    ['faultBps', 0],
    ['faultBps', 10_001],
    ['proverBps', 5000],
    ['compensationBps', 8000],
    ['attestationQuorum', 1001],
    ['attestationTicks', 2 ** 24],
  ];
  it.each(wrong)('names %s when it is %s', (name, value) => {
    expect(fieldAtFault({ [name]: value })).toBe(`court.${name}`);
  });

  it('takes the bounds themselves', () => {
    const changes = { compensationBps: 7999, coordinatorBond: '50000', minStake: String(2n ** 96n - 1n) };
    expect(fieldAtFault({ ...changes, answerS: Math.floor((2 ** 32 - 1) / 9), faultBps: 10_000 })).toBeUndefined();
  });
});

describe('leastSlashAmount', () => {
  it('is the least of which more is destroyed than a rewind can erase, by the arithmetic of the contract', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 2n ** 80n }),
        fc.integer({ min: 2, max: 1024 }),
        fc.integer({ min: 0, max: 4999 }),
        fc.integer({ min: 0, max: 5000 }),
        (price, ring, proverBps, compensationBps) => {
          const destroyed = (slash: bigint) => (slash * BigInt(10_000 - proverBps - compensationBps)) / 10_000n;
          const least = leastSlashAmount({ proverBps, compensationBps }, price, ring);
          expect(destroyed(least)).toBeGreaterThan(price * BigInt(ring));
          expect(destroyed(least - 1n)).toBeLessThanOrEqual(price * BigInt(ring));
        },
      ),
    );
  });

  it('is defined for terms that are about to be refused', () => {
    expect(leastSlashAmount({ proverBps: 5000, compensationBps: 5000 }, 1n, 2)).toBeGreaterThan(0n);
    expect(courtSchema.safeParse({ ...COURT, proverBps: 4999, compensationBps: 5001 }).success).toBe(false);
  });
});
