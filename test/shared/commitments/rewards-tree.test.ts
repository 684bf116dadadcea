import { StandardMerkleTree } from '@openzeppelin/merkle-tree';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Hex, toHex, ZERO_HASH } from '../../../shared/bytes.ts';
import { type Entitlement, rewardsTree } from '../../../shared/commitments/rewards-tree.ts';

const account = fc.uint8Array({ minLength: 20, maxLength: 20 }).map(toHex);
const entitlements = fc.uniqueArray(fc.record({ account, cumulative: fc.bigInt(1n, (1n << 256n) - 1n) }), {
  minLength: 1,
  maxLength: 40,
  selector: (entry) => entry.account,
});

function openZeppelin(entries: readonly Entitlement[]) {
  return StandardMerkleTree.of(
    entries.map(({ account, cumulative }) => [account, cumulative] as [string, bigint]),
    ['address', 'uint256'],
  );
}

describe('rewardsTree', () => {
  it("has the root and the proofs of OpenZeppelin's StandardMerkleTree", () => {
    fc.assert(
      fc.property(entitlements, (entries) => {
        const ours = rewardsTree(entries);
        const theirs = openZeppelin(entries);
        expect(ours.root).toBe(theirs.root);
        entries.forEach((entry, index) => {
          expect(ours.proof(entry.account)).toEqual(theirs.getProof(index));
        });
      }),
      { numRuns: 60 },
    );
  });

  it.each(Array.from({ length: 40 }, (_, index) => index + 1))('agrees with it on %i accounts', (count) => {
    const entries = Array.from(
      { length: count },
      (_, index): Entitlement => ({
        account: `0x${(index * 7919 + 1).toString(16).padStart(40, '0')}` as Hex,
        cumulative: BigInt(index + 1) * 10n ** 18n,
      }),
    );
    const ours = rewardsTree(entries);
    const theirs = openZeppelin(entries);
    expect(ours.root).toBe(theirs.root);
    for (const [index, { account, cumulative }] of entries.entries()) {
      const proof = ours.proof(account) as Hex[];
      expect(proof).toEqual(theirs.getProof(index));
      expect(StandardMerkleTree.verify(theirs.root, ['address', 'uint256'], [account, cumulative], proof)).toBe(true);
    }
  });

  it('does not depend on the order of accounts', () => {
    fc.assert(
      fc.property(entitlements, (entries) => {
        expect(rewardsTree([...entries].reverse()).root).toBe(rewardsTree(entries).root);
      }),
      { numRuns: 30 },
    );
  });

  it('leaves out who has earned nothing', () => {
    const one: Entitlement = { account: `0x${'11'.repeat(20)}`, cumulative: 5n };
    const none: Entitlement = { account: `0x${'22'.repeat(20)}`, cumulative: 0n };
    const tree = rewardsTree([none, one]);
    expect(tree.root).toBe(openZeppelin([one]).root);
    expect(tree.proof(one.account)).toEqual([]);
    expect(tree.proof(none.account)).toBeUndefined();
    expect(tree.proof(`0x${'33'.repeat(20)}`)).toBeUndefined();
  });

  it('is 32 zero bytes when nobody has earned anything', () => {
    expect(rewardsTree([]).root).toBe(ZERO_HASH);
    expect(rewardsTree([{ account: `0x${'11'.repeat(20)}`, cumulative: 0n }]).root).toBe(ZERO_HASH);
  });
});
