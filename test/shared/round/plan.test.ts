import { AbiCoder, keccak256, toUtf8Bytes } from 'ethers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Hex, toHex } from '../../../shared/bytes.ts';
import { fixedPlanHash, isSeedOf, lastSeedIndex, seedChain } from '../../../shared/round/plan.ts';
import { exampleManifest } from './example-manifest.ts';

describe('fixedPlanHash', () => {
  const aggregation = {
    rule: { rule: 'MultiKrum', pre: ['NNM'], f: 2, params: { neighbours: 'mixed', m: 3 } },
    sampleCap: 77,
  };
  const text = (value: string) => keccak256(toUtf8Bytes(value));
  const words = (name: string, ...parameters: number[]) =>
    AbiCoder.defaultAbiCoder().encode(
      ['bytes32', 'bytes32', 'bytes32', 'uint256', 'uint256', 'bytes32', ...parameters.map(() => 'uint256'), 'bytes32'],
      [
        text('MultiKrum'),
        text('["NNM"]'),
        text('{"m":3,"neighbours":"mixed"}'),
        2,
        77,
        text(name),
        ...parameters,
        exampleManifest().seedCommitment,
      ],
    );

  it.each([
    [{ name: 'FedAvg', learningRate: 32768 }, [32768]],
    [{ name: 'FedAvgM', learningRate: 32768, momentum: 5 }, [32768, 5]],
    [{ name: 'FedAdagrad', learningRate: 9, beta1: 4, tau: 7 }, [9, 4, 7]],
    [{ name: 'FedYogi', learningRate: 9, beta1: 4, beta2: 3, tau: 7 }, [9, 4, 3, 7]],
    [{ name: 'FedAdam', learningRate: 9, beta1: 4, beta2: 3, tau: 7 }, [9, 4, 3, 7]],
  ])('is keccak256 over the words that a contract can lay out: %j', (serverStep, parameters) => {
    const manifest = exampleManifest({ replace: { aggregation: { ...aggregation, serverStep } } });
    expect(fixedPlanHash(manifest)).toBe(keccak256(words(serverStep.name, ...parameters)));
  });
});

describe('lastSeedIndex', () => {
  const { rounds, participation } = exampleManifest();

  it('is one seed for each round and retry, as ever, where no round can be taken back', () => {
    expect(lastSeedIndex({ rounds, participation })).toBe(rounds + participation.retries);
  });

  it('has seeds to spare where rounds can be taken back, each of which costs one and one a rewind', () => {
    const spare = lastSeedIndex({ rounds, participation, court: {} }) - rounds - participation.retries;
    expect(spare).toBe(4 * rounds + 256);
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
