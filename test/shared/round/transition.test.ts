import { createHash } from 'node:crypto';
import { StandardMerkleTree } from '@openzeppelin/merkle-tree';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createScalarEngine } from '../../../shared/aggregation/scalar-engine.ts';
import { type Hex, toHex, ZERO_HASH } from '../../../shared/bytes.ts';
import { contributionsRoot } from '../../../shared/commitments/contribution.ts';
import { TREE } from '../../../shared/commitments/merkle-tree.ts';
import { gramRoot, scoresRoot, weightsRoot } from '../../../shared/commitments/number-trees.ts';
import { blockRoot, matrixTree, updateTree, vectorBytes } from '../../../shared/commitments/vector-trees.ts';
import { largestMagnitude } from '../../../shared/fixed-point/update.ts';
import { decodeDocument } from '../../../shared/round/document.ts';
import { type JobTerms, jobTerms } from '../../../shared/round/job-terms.ts';
import type { RevealedPlan } from '../../../shared/round/plan.ts';
import { type AdmittedUpdate, inMemory, type RoundParent, transition } from '../../../shared/round/transition.ts';
import { exampleManifest } from './example-manifest.ts';

const ENGINE = createScalarEngine();

const run = (terms: JobTerms, parent: RoundParent, plan: RevealedPlan, admitted: readonly AdmittedUpdate[]) =>
  transition(terms, parent, plan, inMemory(admitted), ENGINE);

const SEED: Hex = `0x${'77'.repeat(32)}`;

const termsFor = (rule: { rule: string; f: number }, sampleCap = 1000) =>
  jobTerms(
    exampleManifest({
      replace: {
        aggregation: {
          rule: { ...rule, pre: [], params: {} },
          sampleCap,
          serverStep: { name: 'FedAvg', learningRate: 65536 },
        },
      },
    }),
  );

/** Five updates of the example's layout, their padding zero. */
const updates = (terms: JobTerms) =>
  fc
    .array(fc.array(fc.integer({ min: -8191, max: 8191 }), { minLength: 100, maxLength: 100 }), {
      minLength: 5,
      maxLength: 5,
    })
    .map((rows) =>
      rows.map((values, index): AdmittedUpdate => {
        const update = new Int16Array(terms.layout.dimension);
        update.set(values.slice(0, 90), 0);
        update.set(values.slice(90), terms.layout.slots[1]?.offset ?? 0);
        return {
          update,
          contribution: {
            participant: `0x${(index + 1).toString(16).padStart(2, '0').repeat(20)}`,
            updateRoot: toHex(updateTree(vectorBytes(update)).root),
            samples: 10 * (index + 1),
            largestMagnitude: largestMagnitude(update),
            datasetCommitment: `0x${'05'.repeat(32)}`,
            signature: `0x${'06'.repeat(65)}`,
          },
        };
      }),
    );

function parentOf(terms: JobTerms): RoundParent {
  const model = new Int32Array(terms.layout.dimension);
  for (const slot of terms.layout.slots) model.fill(12345, slot.offset, slot.offset + slot.size);
  return {
    model,
    modelRoot: blockRoot(TREE.model, model),
    serverState: null,
    rewards: [{ account: `0x${'ee'.repeat(20)}`, cumulative: 9n }],
  };
}

const planFrom = (parent: RoundParent) => ({
  round: 3,
  attempt: 1,
  parentRoot: parent.modelRoot,
  updateBits: 12,
  seedIndex: 4,
  seed: SEED,
});

describe('transition', () => {
  it('commits to exactly what it returns', async () => {
    const terms = termsFor({ rule: 'TrMean', f: 1 });
    const parent = parentOf(terms);
    const plan = planFrom(parent);
    await fc.assert(
      fc.asyncProperty(updates(terms), async (admitted) => {
        const outcome = await run(terms, parent, plan, admitted);
        const { record, document, model, aggregate, scores, earned, rewards } = outcome;
        const published = decodeDocument(document);
        const rows = admitted.map(({ update }) => update);
        const contributions = admitted.map(({ contribution }) => contribution);
        expect(published).toMatchObject({ job: terms.job, plan, contributions, scores, rewards });
        expect(record).toEqual({
          job: terms.job,
          round: 3,
          attempt: 1,
          participants: 5,
          updateBits: 12,
          seedIndex: 4,
          seed: SEED,
          fixedPlanHash: terms.fixedPlanHash,
          tensorTableRoot: terms.tensorTableRoot,
          parentModelRoot: parent.modelRoot,
          modelRoot: blockRoot(TREE.model, model),
          serverStateRoot: ZERO_HASH,
          aggregateRoot: blockRoot(TREE.aggregate, aggregate),
          matrixRoot: toHex(matrixTree(rows).root),
          contributionsRoot: contributionsRoot(contributions),
          gramRoot: gramRoot(published.gram),
          weightsRoot: weightsRoot(published.weights ?? [0, 0, 0, 0, 0]),
          scoresRoot: scoresRoot(scores),
          rewardsRoot: StandardMerkleTree.of(
            rewards.filter(({ cumulative }) => cumulative > 0n).map(({ account, cumulative }) => [account, cumulative]),
            ['address', 'uint256'],
          ).root,
          rewardsTotal: rewards.reduce((sum, { cumulative }) => sum + cumulative, 0n),
          location: `0x${createHash('sha256').update(document).digest('hex')}`,
        });
        // Either somebody has scored and the whole pot is split, or nobody has and none of it is.
        const paid = earned.reduce((sum, amount) => sum + amount, 0n);
        expect(paid).toBe(scores.some((score) => score > 0n) ? 10n ** 18n : 0n);
        expect(record.rewardsTotal).toBe(9n + paid);
      }),
      { numRuns: 20 },
    );
  });

  it('adds the trimmed mean of the updates to the model, spelt out in integers', async () => {
    const terms = termsFor({ rule: 'TrMean', f: 1 });
    const parent = parentOf(terms);
    await fc.assert(
      fc.asyncProperty(updates(terms), async (admitted) => {
        const { model, aggregate } = await run(terms, parent, planFrom(parent), admitted);
        for (const slot of terms.layout.slots) {
          for (let at = slot.offset; at < slot.offset + slot.size; at++) {
            const kept = admitted
              .map(({ update }) => BigInt(update[at] as number))
              .sort((a, b) => (a < b ? -1 : 1))
              .slice(1, -1);
            const floor = (a: bigint, b: bigint) => (a - (((a % b) + b) % b)) / b;
            const mean = floor(2n * 256n * kept.reduce((sum, q) => sum + q, 0n) + 3n, 6n);
            expect(BigInt(aggregate[at] as number)).toBe(mean);
            // A rate of 1 at bits 12 + preScale + 8 to a model unit of 2^-fractionBits.
            const up = BigInt(slot.fractionBits - (12 + slot.preScaleBits + 8));
            const delta = up >= 0n ? mean << up : floor(2n * mean + (1n << -up), 2n << -up);
            expect(BigInt(model[at] as number)).toBe(12345n + delta);
          }
        }
      }),
      { numRuns: 20 },
    );
  });

  it('is a function: the same bits again, its inputs as they were', async () => {
    const terms = termsFor({ rule: 'Krum', f: 1 });
    const parent = parentOf(terms);
    await fc.assert(
      fc.asyncProperty(updates(terms), async (admitted) => {
        const copies = admitted.map(({ update }) => update.slice());
        const model = parent.model.slice();
        const first = await run(terms, parent, planFrom(parent), admitted);
        expect(await run(terms, parent, planFrom(parent), admitted)).toEqual(first);
        expect(admitted.map(({ update }) => update)).toEqual(copies);
        expect(parent.model).toEqual(model);
      }),
      { numRuns: 10 },
    );
  });

  it('counts no more samples than the cap when it weighs', async () => {
    const [uncapped, capped] = [termsFor({ rule: 'Average', f: 0 }, 1000), termsFor({ rule: 'Average', f: 0 }, 10)];
    const [admitted] = fc.sample(updates(uncapped), { numRuns: 1, seed: 3 }) as [AdmittedUpdate[]];
    const weightsOf = async (terms: JobTerms) =>
      decodeDocument((await run(terms, parentOf(terms), planFrom(parentOf(terms)), admitted)).document)
        .weights as number[];
    const free = await weightsOf(uncapped);
    expect(free[4]).toBe(Math.round((2 ** 30 * 50) / 150));
    const equal = await weightsOf(capped);
    expect(Math.max(...equal) - Math.min(...equal)).toBeLessThanOrEqual(1);
  });

  it('refuses too few participants for its f', async () => {
    const terms = termsFor({ rule: 'TrMean', f: 2 });
    const [admitted] = fc.sample(updates(terms), { numRuns: 1, seed: 3 }) as [AdmittedUpdate[]];
    const parent = parentOf(terms);
    await expect(run(terms, parent, planFrom(parent), admitted.slice(0, 4))).rejects.toThrow(
      expect.objectContaining({ code: 'rule/too-many-faulty' }),
    );
  });
});
