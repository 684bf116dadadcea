import { AbiCoder, keccak256, toUtf8Bytes } from 'ethers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Hex, toHex } from '../../../shared/bytes.ts';
import { fixedPlanHash, isSeedOf, seedChain } from '../../../shared/round/plan.ts';
import { exampleManifest } from './example-manifest.ts';

describe('fixedPlanHash', () => {
  it('is keccak256 over the words that a contract can lay out', () => {
    const manifest = exampleManifest({
      replace: {
        aggregation: {
          rule: { rule: 'MultiKrum', pre: ['NNM'], f: 2, params: { neighbours: 'mixed', m: 3 } },
          sampleCap: 77,
          serverStep: { name: 'FedAvg', learningRate: 32768 },
        },
      },
    });
    const text = (value: string) => keccak256(toUtf8Bytes(value));
    const encoded = AbiCoder.defaultAbiCoder().encode(
      ['bytes32', 'bytes32', 'bytes32', 'uint256', 'uint256', 'bytes32', 'uint256', 'bytes32'],
      [
        text('MultiKrum'),
        text('["NNM"]'),
        text('{"m":3,"neighbours":"mixed"}'),
        2,
        77,
        text('FedAvg'),
        32768,
        manifest.seedCommitment,
      ],
    );
    expect(fixedPlanHash(manifest)).toBe(keccak256(encoded));
  });
});

describe('seedChain', () => {
  const secret = fc.uint8Array({ minLength: 32, maxLength: 32 });

  it('has each seed hash to the one before it, the secret last', () => {
    fc.assert(
      fc.property(secret, fc.integer({ min: 0, max: 20 }), (bytes, length) => {
        const chain = seedChain(bytes, length);
        expect(chain.length).toBe(length + 1);
        expect(chain.at(-1)).toBe(toHex(bytes));
        for (let index = 1; index < chain.length; index++) {
          expect(keccak256(chain[index] as Hex)).toBe(chain[index - 1]);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('lets every seed be checked at its index, and at no other', () => {
    fc.assert(
      fc.property(secret, fc.integer({ min: 1, max: 12 }), (bytes, length) => {
        const chain = seedChain(bytes, length);
        const commitment = chain[0] as Hex;
        chain.forEach((seed, index) => {
          for (let claimed = 0; claimed <= length; claimed++) {
            expect(isSeedOf(commitment, claimed, seed)).toBe(claimed === index);
          }
        });
        expect(isSeedOf(commitment, 1, toHex(new Uint8Array(32)))).toBe(false);
      }),
      { numRuns: 20 },
    );
  });
});
