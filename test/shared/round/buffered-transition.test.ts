import { describe, expect, it } from 'vitest';
import { createScalarEngine } from '../../../shared/aggregation/scalar-engine.ts';
import { type Hex, toHex } from '../../../shared/bytes.ts';
import { TREE } from '../../../shared/commitments/merkle-tree.ts';
import { blockRoot, updateTree, vectorBytes } from '../../../shared/commitments/vector-trees.ts';
import { largestMagnitude } from '../../../shared/fixed-point/update.ts';
import { createRng } from '../../../shared/rng.ts';
import { decodeDocument } from '../../../shared/round/document.ts';
import { type JobTerms, jobTerms } from '../../../shared/round/job-terms.ts';
import { stalenessDiscount } from '../../../shared/round/staleness.ts';
import { type AdmittedUpdate, inMemory, type RoundOutcome, transition } from '../../../shared/round/transition.ts';
import { exampleManifest, exampleManifestJson } from './example-manifest.ts';

const PARENTS: readonly Hex[] = [3, 2, 1, 0].map((round) => `0x${String(round).repeat(64)}` as Hex);

function termsOf(rule: string, f: number, pre: readonly string[] = [], buffered = true): JobTerms {
  const serverStep = { name: 'FedAvg', learningRate: 65536 };
  const aggregation = { rule: { rule, pre, f, params: {} }, sampleCap: 1000, serverStep };
  const participation = exampleManifestJson()['participation'] as object;
  const buffer = { size: 4, maxStaleness: 3 };
  const replace = { aggregation, participation: { ...participation, ...(buffered && { buffer }) } };
  return jobTerms(exampleManifest({ replace }));
}

/** Four updates, each as old as its place in the list says; null for a job that is not buffered. */
function admittedOf(
  terms: JobTerms,
  stalenesses: readonly (number | null)[],
  samples = [10, 20, 30, 40],
): AdmittedUpdate[] {
  const rng = createRng(7, 'updates');
  return stalenesses.map((staleness, index) => {
    const update = new Int16Array(terms.layout.dimension);
    for (const { offset, size } of terms.layout.slots) {
      for (let at = offset; at < offset + size; at++) update[at] = (rng.nextUint32() % 4001) - 2000;
    }
    return {
      update,
      contribution: {
        participant: `0x${(index + 1).toString(16).padStart(2, '0').repeat(20)}`,
        updateRoot: toHex(updateTree(vectorBytes(update)).root),
        samples: samples[index] as number,
        largestMagnitude: largestMagnitude(update),
        datasetCommitment: `0x${'05'.repeat(32)}`,
        signature: `0x${'06'.repeat(65)}`,
        ...(staleness !== null && { parentRoot: PARENTS[staleness] as Hex }),
      },
    };
  });
}

async function run(
  terms: JobTerms,
  admitted: readonly AdmittedUpdate[],
  parents?: readonly Hex[],
): Promise<RoundOutcome> {
  const model = new Int32Array(terms.layout.dimension);
  const parent = { model, modelRoot: blockRoot(TREE.model, model), serverState: null, rewards: [] };
  const seed: Hex = `0x${'77'.repeat(32)}`;
  const plan = { round: 4, attempt: 0, parentRoot: parent.modelRoot, updateBits: 12, seedIndex: 4, seed };
  return transition(terms, parent, plan, inMemory(admitted, parents), createScalarEngine());
}

const weightsOf = ({ document }: RoundOutcome): readonly number[] => decodeDocument(document).weights ?? [];

describe('a buffered round', () => {
  it('counts an update as its samples by its age, of all samples: FedBuff, in integers', async () => {
    const terms = termsOf('Average', 0);
    const ages = [0, 1, 3, 2];
    const weights = weightsOf(await run(terms, admittedOf(terms, ages), PARENTS));
    const samples = [10n, 20n, 30n, 40n];
    for (const [index, weight] of weights.entries()) {
      const discount = BigInt(stalenessDiscount(ages[index] as number));
      const exact = ((samples[index] as bigint) * discount * 2n ** 30n) / (100n * 2n ** 20n);
      expect(Math.abs(weight - Number(exact))).toBeLessThanOrEqual(1);
    }
    // What old updates lack nobody else is given: the step is the smaller for it.
    expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeLessThan(2 ** 30);
  });

  it('of updates from the newest model alone is the round that it is without a buffer', async () => {
    const [buffered, plain] = [termsOf('Average', 0), termsOf('Average', 0, [], false)];
    const left = await run(buffered, admittedOf(buffered, [0, 0, 0, 0]), PARENTS);
    const right = await run(plain, admittedOf(plain, [null, null, null, null]));
    expect(weightsOf(left)).toEqual(weightsOf(right));
    expect(left.model).toEqual(right.model);
    expect(left.scores).toEqual(right.scores);
    expect(weightsOf(left).reduce((sum, weight) => sum + weight, 0)).toBe(2 ** 30);
  });

  it('discounts what is left of an update after mixing, where a mean stands behind a pre-aggregator', async () => {
    const terms = termsOf('Average', 0, ['NNM']);
    const [fresh, old] = [
      weightsOf(await run(terms, admittedOf(terms, [0, 0, 0, 0]), PARENTS)),
      weightsOf(await run(terms, admittedOf(terms, [3, 0, 0, 0]), PARENTS)),
    ];
    expect(Math.abs((old[0] as number) - (fresh[0] as number) / 2)).toBeLessThanOrEqual(1);
    for (const index of [1, 2, 3]) {
      expect(Math.abs((old[index] as number) - (fresh[index] as number))).toBeLessThanOrEqual(1);
    }
  });

  it.each(['Median', 'TrMean', 'GeometricMedian', 'CenteredClipping'])(
    'leaves %s as it is: there the bound on the age is what limits',
    async (rule) => {
      const terms = termsOf(rule, 1);
      const fresh = await run(terms, admittedOf(terms, [0, 0, 0, 0]), PARENTS);
      const old = await run(terms, admittedOf(terms, [3, 1, 0, 2]), PARENTS);
      expect(old.model).toEqual(fresh.model);
      expect(old.earned).toEqual(fresh.earned);
    },
  );

  it('commits to where each update came from: its document says it, and its location changes with it', async () => {
    const terms = termsOf('Median', 1);
    const outcome = await run(terms, admittedOf(terms, [0, 1, 2, 3]), PARENTS);
    expect(decodeDocument(outcome.document).contributions.map(({ parentRoot }) => parentRoot)).toEqual(PARENTS);
    const other = await run(terms, admittedOf(terms, [0, 1, 2, 2]), PARENTS);
    expect(other.record.location).not.toBe(outcome.record.location);
  });

  it('refuses an update of a model that is none of the last, and one that names none', async () => {
    const terms = termsOf('Average', 0);
    const code = { code: 'staleness/unknown-parent' };
    const admitted = admittedOf(terms, [0, 1, 2, 3]);
    await expect(run(terms, admitted, PARENTS.slice(0, 3))).rejects.toThrow(expect.objectContaining(code));
    await expect(run(terms, admitted)).rejects.toThrow(expect.objectContaining(code));
    await expect(run(terms, admittedOf(terms, [0, null, 0, 0]), PARENTS)).rejects.toThrow(
      expect.objectContaining(code),
    );
  });
});
