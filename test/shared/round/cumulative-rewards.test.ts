import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Hex, toHex } from '../../../shared/bytes.ts';
import { accrue, type CumulativeRewards, totalRewards } from '../../../shared/round/cumulative-rewards.ts';

const account = fc.integer({ min: 0, max: 12 }).map((n) => toHex(Uint8Array.from({ length: 20 }, () => n * 19)));
const round = fc.uniqueArray(fc.tuple(account, fc.bigInt(0n, 10n ** 20n)), {
  maxLength: 8,
  selector: ([address]) => address,
});

describe('accrue', () => {
  it('adds round after round, keeps everybody once and in order of address', () => {
    fc.assert(
      fc.property(fc.array(round, { maxLength: 6 }), (rounds) => {
        let rewards: CumulativeRewards = [];
        const expected = new Map<Hex, bigint>();
        for (const entries of rounds) {
          rewards = accrue(
            rewards,
            entries.map(([address]) => address),
            entries.map(([, amount]) => amount),
          );
          for (const [address, amount] of entries) expected.set(address, (expected.get(address) ?? 0n) + amount);
        }
        expect(new Map(rewards.map(({ account, cumulative }) => [account, cumulative]))).toEqual(expected);
        const accounts = rewards.map(({ account }) => account);
        expect(accounts).toEqual([...new Set(accounts)].sort());
        expect(totalRewards(rewards)).toBe([...expected.values()].reduce((sum, amount) => sum + amount, 0n));
      }),
    );
  });

  it('leaves what was before as it was', () => {
    const before = [{ account: `0x${'11'.repeat(20)}` as Hex, cumulative: 3n }];
    accrue(before, [`0x${'11'.repeat(20)}`], [4n]);
    expect(before).toEqual([{ account: `0x${'11'.repeat(20)}`, cumulative: 3n }]);
  });
});
