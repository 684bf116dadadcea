import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide, type Sight } from '../../contracts/outbox/decide.ts';
import { cappedFees, raisedFees } from '../../contracts/outbox/fees.ts';
import type { ReceiptSummary } from '../../contracts/outbox/outbox-store.ts';
import type { Hex } from '../../shared/bytes.ts';

const hash = (byte: number): Hex => `0x${byte.toString(16).padStart(2, '0').repeat(32)}`;
const small = fc.nat(12);
const receipt = small.map(
  (blockNumber): ReceiptSummary => ({
    ...{ transactionHash: hash(1), blockNumber, blockHash: hash(blockNumber), gasUsed: 21_000, gasPriceWei: '1' },
  }),
);
const sight: fc.Arbitrary<Sight> = fc.record(
  {
    nonce: small,
    nextNonce: small,
    settledBlock: fc.integer({ min: -1, max: 12 }),
    mined: fc.record({ succeeded: fc.boolean(), cancels: fc.boolean(), receipt }),
    settledNextNonce: small,
    held: fc.boolean(),
    looksGone: fc.nat(6),
    waitedBlocks: fc.integer({ min: -3, max: 8 }),
    underpriced: fc.boolean(),
    broadcastDue: fc.boolean(),
  },
  {
    requiredKeys: [
      ...(['nonce', 'nextNonce', 'settledBlock', 'looksGone'] as const),
      ...(['waitedBlocks', 'underpriced', 'broadcastDue'] as const),
    ],
  },
);
const patience = fc.record({ bumpAfterBlocks: fc.nat(5), looksBeforeTaken: fc.integer({ min: 1, max: 4 }) });
const property = (check: (sight: Sight, patience: { bumpAfterBlocks: number; looksBeforeTaken: number }) => void) =>
  fc.assert(fc.property(sight, patience, check), { numRuns: 3000 });

describe('what to do next with a row', () => {
  it('settles nothing but by a receipt in a block that is deep enough', () => {
    property((seen, policy) => {
      const move = decide(seen, policy);
      if (!('receipt' in move)) return;
      expect(move.receipt).toBe(seen.mined?.receipt);
      expect(move.receipt.blockNumber).toBeLessThanOrEqual(seen.settledBlock);
    });
  });

  it('settles whatever is mined deep enough, by what it was and what came of it', () => {
    property((seen, policy) => {
      const { mined, settledBlock } = seen;
      if (mined === undefined || mined.receipt.blockNumber > settledBlock) return;
      const { type } = decide(seen, policy);
      expect(type).toBe(mined.cancels ? 'cancel' : mined.succeeded ? 'confirm' : 'revert');
    });
  });

  it('signs for another nonce only when its own is gone for good and nothing of it can be mined', () => {
    property((seen, policy) => {
      if (decide(seen, policy).type !== 'signAgain') return;
      expect(seen.mined).toBeUndefined();
      expect(seen.held).toBe(false);
      expect(seen.nextNonce).toBeGreaterThan(seen.nonce);
      expect(seen.settledNextNonce).toBeGreaterThan(seen.nonce);
      expect(seen.looksGone).toBeGreaterThanOrEqual(policy.looksBeforeTaken);
    });
  });

  it('raises the fee of the next transaction alone, when blocks passed it by or the node finds it too cheap', () => {
    property((seen, policy) => {
      const raises = decide(seen, policy).type === 'raise';
      const isNext = seen.mined === undefined && seen.nonce === seen.nextNonce;
      expect(raises).toBe(isNext && (seen.underpriced || seen.waitedBlocks >= policy.bumpAfterBlocks));
    });
  });

  it('broadcasts nothing whose nonce is used, and everything else when it is time', () => {
    property((seen, policy) => {
      const { type } = decide({ ...seen, broadcastDue: true }, policy);
      const open = seen.mined === undefined && seen.nextNonce <= seen.nonce;
      expect(type === 'broadcast' || type === 'raise').toBe(open);
    });
  });
});

describe('fees', () => {
  const wei = fc.bigInt({ min: 0n, max: 10n ** 13n });
  const fees = fc.tuple(wei, wei).map(([tip, more]) => ({ maxFeePerGas: tip + more, maxPriorityFeePerGas: tip }));

  it('of a replacement are at least a tenth higher, at least the usual ones, and never above the ceiling', () => {
    fc.assert(
      fc.property(fees, fees, wei, (offered, usual, ceiling) => {
        const raised = raisedFees(offered, usual, ceiling);
        if (raised === undefined) {
          expect((offered.maxFeePerGas * 11n) / 10n + 1n).toBeGreaterThan(ceiling - 1n);
          return;
        }
        for (const key of ['maxFeePerGas', 'maxPriorityFeePerGas'] as const) {
          expect(raised[key] * 10n).toBeGreaterThan(offered[key] * 11n);
          if (raised.maxFeePerGas < ceiling) expect(raised[key]).toBeGreaterThanOrEqual(usual[key]);
        }
        expect(raised.maxFeePerGas).toBeLessThanOrEqual(ceiling);
        // EIP-1559: a tip above the whole fee makes a transaction invalid.
        expect(raised.maxPriorityFeePerGas).toBeLessThanOrEqual(raised.maxFeePerGas);
      }),
      { numRuns: 3000 },
    );
  });

  it('are capped without ever becoming invalid', () => {
    fc.assert(
      fc.property(fees, wei, (offered, ceiling) => {
        const capped = cappedFees(offered, ceiling);
        expect([offered.maxFeePerGas, ceiling]).toContain(capped.maxFeePerGas);
        expect(capped.maxFeePerGas).toBeLessThanOrEqual(ceiling);
        expect(capped.maxFeePerGas).toBeLessThanOrEqual(offered.maxFeePerGas);
        expect(capped.maxPriorityFeePerGas).toBeLessThanOrEqual(capped.maxFeePerGas);
      }),
    );
  });
});
