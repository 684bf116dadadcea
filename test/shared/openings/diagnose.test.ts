import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gramMatrix } from '../../../shared/aggregation/gram.ts';
import { toHex } from '../../../shared/bytes.ts';
import { TREE } from '../../../shared/commitments/merkle-tree.ts';
import { matrixTree } from '../../../shared/commitments/vector-trees.ts';
import { diagnose } from '../../../shared/openings/diagnose.ts';
import type { Diagnosis, RevealedBlock } from '../../../shared/openings/diagnosis.ts';
import { discontinuityOf } from '../../../shared/openings/facts.ts';
import { gramSums, partOf, wrongSum } from '../../../shared/openings/gram-moves.ts';
import { matrixData, proofAt } from '../../../shared/openings/leaf.ts';
import { memoryBlocks } from '../../../shared/openings/round-view.ts';
import type { Parts } from '../../contracts/court/court-lab.ts';
import { evidenceOf, roundsOf } from './opened-round.ts';

const TRIMMED = { rule: { rule: 'TrMean', f: 1 } };
const MEDIAN_BEHIND_NNM = { rule: { rule: 'Median', f: 1, pre: ['NNM'] } };
const GEOMETRIC = { rule: { rule: 'GeometricMedian', f: 1, params: { nu: 0.1, T: 3 } } };
const KRUM = { rule: { rule: 'Krum', f: 1, params: { neighbours: 'byzfl' } } };
const ADAM = { ...TRIMMED, step: { name: 'FedAdam', learningRate: 65536, beta1: 1, beta2: 1, tau: 1000 } as const };

const bumped = (vector: Int32Array, at: number): Int32Array => {
  const copy = vector.slice();
  copy[at] = (copy[at] as number) + 1;
  return copy;
};

describe('what cannot be shown on chain', () => {
  it('is told apart: a rule that is only recomputable, a step that is, and data that is not to be had', async () => {
    const nnm = roundsOf(MEDIAN_BEHIND_NNM);
    const honest = await nnm.play(null, 0);
    expect(await diagnose(honest.view, evidenceOf(honest))).toEqual({ verdict: 'none' });
    const aggregate = bumped(honest.parts.aggregate, 3);
    const careless = nnm.falsify(honest, null, { aggregate });
    expect(await diagnose(careless.view, evidenceOf(careless))).toMatchObject({
      subject: { kind: 'gram', row: 0, column: 5 },
    });
    const careful = nnm.falsify(honest, null, { aggregate, gram: gramMatrix(honest.updates, aggregate) });
    expect(await diagnose(careful.view, evidenceOf(careful))).toMatchObject({ verdict: 'off-chain' });

    const adam = roundsOf(ADAM);
    const stepped = await adam.play(null, 0);
    expect(await diagnose(stepped.view, evidenceOf(stepped))).toEqual({ verdict: 'none' });
    const model = adam.falsify(stepped, null, { model: bumped(stepped.parts.model, 3) });
    expect(await diagnose(model.view, evidenceOf(model))).toMatchObject({ verdict: 'off-chain' });

    const trimmed = roundsOf(TRIMMED);
    const round = await trimmed.play(null, 0);
    const wrong = trimmed.falsify(round, null, { aggregate: bumped(round.parts.aggregate, 3) });
    const hidden = { ...wrong.view, vector: async () => null };
    expect(await diagnose(hidden, evidenceOf(wrong))).toMatchObject({ verdict: 'withheld' });
    // A document that is not the record's tells nothing of what is behind its roots.
    const scores = trimmed.falsify(round, null, { gram: round.parts.gram.map((row) => row.map((cell) => cell + 1n)) });
    const other = { ...scores.view, document: round.view.document };
    expect(await diagnose(other, evidenceOf(scores))).toMatchObject({ verdict: 'withheld' });
  });

  it('does not hide what can: a sum that does not fit wrong weights of a rule that is only recomputable', async () => {
    const rounds = roundsOf(GEOMETRIC);
    const honest = await rounds.play(null, 0);
    const weights = (honest.parts.weights as number[]).toReversed();
    const onlyWeights = rounds.falsify(honest, null, { weights });
    // The aggregate is not the sum by these weights, which the chain can tell.
    expect(await diagnose(onlyWeights.view, evidenceOf(onlyWeights))).toMatchObject({
      verdict: 'challenge',
      subject: { kind: 'coordinate' },
    });
  });
});

describe('the search for a lie in the matrix', () => {
  it('ends at a block that was not signed, after no more probes than the tree has levels', async () => {
    const rounds = roundsOf({ ...TRIMMED, size: 64 * 20 });
    const honest = await rounds.play(null, 0);
    const blocks = honest.view.terms.layout.dimension / 64;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(4), fc.nat(blocks * 64 - 1)), { minLength: 1, maxLength: 3 }),
        async (changes) => {
          const rows = honest.updates.map((row) => row.slice());
          for (const [row, at] of changes)
            (rows[row] as Int16Array)[at] = ((rows[row] as Int16Array)[at] as number) + 1;
          const lying = rounds.falsify(honest, null, { rows });
          const tree = matrixTree(rows);
          const revealed: RevealedBlock[] = [];
          for (;;) {
            const found = await diagnose(lying.view, evidenceOf(lying, { revealed }));
            const { subject } = found as Extract<Diagnosis, { verdict: 'challenge' }>;
            if (subject.kind !== 'link') throw new Error(`a link is in question, not ${subject.kind}`);
            const { row, block } = subject;
            const range = [block * 64, block * 64 + 64] as const;
            const signed = (honest.updates[row] as Int16Array).slice(...range);
            if (!signed.every((value, at) => value === (rows[row] as Int16Array)[range[0] + at])) break;
            const data = await matrixData(memoryBlocks(rows), block);
            revealed.push({ matrixRoot: toHex(tree.root), block, data, proof: proofAt(TREE.matrix, tree, block) });
            expect(revealed.length).toBeLessThanOrEqual(tree.depth + 1);
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('partial sums', () => {
  it('are of the greatest power of 32 that leaves more than one part, and add up to the entry', async () => {
    expect([1, 2, 32, 33, 1024, 1025, 32_768, 32_769, 2 ** 20].map(partOf)).toEqual([
      1, 1, 1, 32, 32, 1024, 1024, 32_768, 32_768,
    ]);
    const rounds = roundsOf({ ...TRIMMED, size: 64 * 1100 });
    const { view, parts } = await rounds.play(null, 0);
    const span = view.terms.layout.dimension / 64;
    for (const [row, column] of [
      [0, 0],
      [1, 4],
      [4, 1],
      [5, 2],
      [2, 5],
      [5, 5],
    ] as const) {
      const sums = await gramSums(view, { row, column }, { first: 0, span });
      expect(sums.reduce((sum, part) => sum + part, 0n)).toBe(parts.gram[row]?.[column]);
      const halves = await gramSums(view, { row, column }, { first: 1024, span: span - 1024 });
      expect(halves.reduce((sum, part) => sum + part, 0n)).toBe(sums[1]);
      const wrong = sums.map((sum, at) => (at === 1 ? sum + 1n : sum));
      expect(await wrongSum(view, { row, column }, { first: 0, span }, wrong)).toBe(1);
      expect(await wrongSum(view, { row, column }, { first: 0, span }, sums)).toBeUndefined();
    }
  });
});

describe('updates that no gate should have let in', () => {
  it('are found where the chain can tell', async () => {
    const rounds = roundsOf(TRIMMED);
    const honest = await rounds.play(null, 0);
    const withValue = (at: number, value: number) => {
      const rows = honest.updates.map((row) => row.slice());
      (rows[2] as Int16Array)[at] = value;
      return { ...honest.view, updates: memoryBlocks(rows) };
    };
    const limit = honest.parts.contributions[2]?.largestMagnitude ?? 0;
    const find = (at: number, value: number) => diagnose(withValue(at, value), evidenceOf(honest));
    expect(await find(70, limit + 1)).toMatchObject({ subject: { kind: 'link', row: 2, block: 1 } });
    expect(await find(90, 1)).toMatchObject({ subject: { kind: 'coordinate', coordinate: 90 } });
    expect(await find(191, -1)).toMatchObject({ subject: { kind: 'coordinate', coordinate: 191 } });
  });
});

describe('continuity', () => {
  it('asks for the round before, and for a seed of the chain that is in its place', async () => {
    const rounds = roundsOf(TRIMMED);
    const first = await rounds.play(null, 0);
    const second = await rounds.play(first, 2);
    expect(discontinuityOf(first.view)).toBeUndefined();
    expect(discontinuityOf(second.view)).toBeUndefined();
    expect(() => discontinuityOf({ ...second.view, parent: null })).toThrow(
      expect.objectContaining({ code: 'opening/no-parent' }),
    );
    const { record } = second;
    const wrong = (changes: Partial<typeof record>) =>
      discontinuityOf({ ...second.view, record: { ...record, ...changes } });
    expect(wrong({ seedIndex: record.seedIndex + 1 })).toMatch(/seedIndex/);
    expect(wrong({ parentModelRoot: record.modelRoot })).toMatch(/parent model/);
    expect(wrong({ rewardsTotal: first.record.rewardsTotal - 1n })).toMatch(/rewards/);
    expect(wrong({ seed: first.record.seed })).toMatch(/seed/);
    expect(wrong({ attempt: 1, seedIndex: 3 })).toMatch(/seed 0x/);
  });
});

describe('numbers that were chosen to be no numbers of a round', () => {
  it('are found by what has no answer then, and crash nobody', async () => {
    const rounds = roundsOf(KRUM);
    const honest = await rounds.play(null, 0);
    const { gram, scores, contributions } = honest.parts;
    const find = async (lie: Partial<Parts>) => {
      const lying = rounds.falsify(honest, null, lie);
      return diagnose(lying.view, evidenceOf(lying));
    };
    const ragged = gram.map((row, i) => (i === 2 ? row.slice(1) : row));
    expect(await find({ gram: ragged })).toMatchObject({ subject: { kind: 'gram', row: 2, column: 0 } });
    expect(await find({ gram: gram.slice(0, -1) })).toMatchObject({ subject: { kind: 'gram', row: 5, column: 0 } });
    expect(await find({ gram: [...gram, gram[0] ?? []] })).toMatchObject({ subject: { kind: 'scores' } });
    expect(await find({ scores: scores.slice(1) })).toMatchObject({ subject: { kind: 'scores' } });
    expect(await find({ scores: scores.map(() => -1n) })).toMatchObject({ subject: { kind: 'scores' } });
    expect(await find({ weights: [2 ** 30] })).toMatchObject({ subject: { kind: 'scores' } });
    // A rule with weights that commits to none.
    expect(await find({ weights: null })).toMatchObject({ subject: { kind: 'weights' } });

    const fewer = rounds.falsify(honest, null, { contributions: contributions.slice(1) });
    const short = { ...fewer.view, record: { ...fewer.record, participants: 5 } };
    expect(await diagnose(short, evidenceOf(fewer))).toMatchObject({ subject: { kind: 'contribution', row: 0 } });
    const long = { ...honest.view, record: { ...honest.record, participants: 6 } };
    expect(await diagnose(long, evidenceOf(honest))).toMatchObject({ subject: { kind: 'contribution', row: 5 } });

    const negative = contributions.map((own, row) => (row === 1 ? { ...own, samples: -1 } : own));
    const published = { ...honest.view, document: { ...honest.view.document, contributions: negative } };
    expect(await diagnose(published, evidenceOf(honest))).toMatchObject({ verdict: 'withheld' });
    const geometric = roundsOf(MEDIAN_BEHIND_NNM);
    const other = await geometric.play(null, 0);
    const below = geometric.falsify(other, null, { scores: other.parts.scores.map(() => -5n) });
    expect(await diagnose(below.view, evidenceOf(below))).toMatchObject({ verdict: 'off-chain' });
  });
});
