import { resolveRule } from '../aggregation/registry.ts';
import { RuleError } from '../aggregation/rule-error.ts';
import { scores as scoreRows } from '../aggregation/scores.ts';
import { scoresRoot, weightsRoot } from '../commitments/number-trees.ts';
import { scoreMethod } from '../round/manifest.ts';
import { roundWeights } from '../round/round-weights.ts';
import { type Check, challenge, type Diagnosis, type Examination } from './diagnosis.ts';
import { isWeighted, recomputesCoordinates, recomputesNumbers, recomputesWeights } from './settled.ts';

/** Holds the Gram matrix's inner products of the updates to the updates, once the matrix is theirs. */
export const checkGram: Check = ({ view, evidence, n, known, expected }) => {
  if (!known.gram) {
    const isWrong = evidence.recomputed !== null && evidence.recomputed.record.gramRoot !== view.record.gramRoot;
    return isWrong ? { verdict: 'withheld', what: "the Gram matrix behind the record's root" } : undefined;
  }
  if (expected === null || !recomputesNumbers(n)) return undefined;
  return firstEntry(view.document.gram, expected.gram, (row, column) => row < n && column < n);
};

/** The first entry, row by row, that is not what it must be. */
export function firstEntry(
  gram: readonly (readonly bigint[])[],
  right: readonly (readonly (bigint | undefined)[])[],
  counts: (row: number, column: number) => boolean,
): Diagnosis | undefined {
  for (const [row, cells] of right.entries()) {
    for (const [column, cell] of cells.entries()) {
      if (cell === undefined || !counts(row, column) || gram[row]?.[column] === cell) continue;
      const what = `entry (${row}, ${column}) of the Gram matrix is not ${cell}`;
      return challenge({ kind: 'gram', row, column }, what);
    }
  }
  return undefined;
}

/** What a round's rule makes of the committed Gram matrix and contributions; undefined where that is not known. */
function weightsByRule({ view, n, known }: Examination): readonly number[] | null | undefined {
  const { rule: spec, sampleCap } = view.terms.manifest.aggregation;
  if (!known.contributions || (!known.gram && resolveRule(spec.rule).sees !== 'samples')) return undefined;
  const samples = view.document.contributions.map((each) => Math.min(each.samples, sampleCap));
  const gram = view.document.gram.slice(0, n).map((row) => row.slice(0, n));
  return roundWeights({ spec, n, samples, plan: view.document.plan }, gram).weights;
}

/** Holds the weights to the rule. */
export const checkWeights: Check = (examination) => {
  const { view, n, known } = examination;
  const { rule: spec } = view.terms.manifest.aggregation;
  let right: readonly number[] | null | undefined;
  try {
    right = weightsByRule(examination);
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    const what = `the rule has no result for ${n} updates: ${error.message}`;
    const reduces = recomputesCoordinates(spec, n) && !isWeighted(spec);
    return reduces ? challenge({ kind: 'coordinate', coordinate: 0 }, what) : { verdict: 'off-chain', what };
  }
  if (right === undefined || view.record.weightsRoot === weightsRoot(right ?? Array<number>(n).fill(0))) {
    return undefined;
  }
  if (right === null) {
    const what = 'a rule without weights commits to some';
    return recomputesCoordinates(spec, n) ? challenge({ kind: 'scores' }, what) : { verdict: 'off-chain', what };
  }
  const what = 'the weights are not what the rule gives';
  if (!recomputesWeights(spec, n)) return { verdict: 'off-chain', what };
  if (spec.rule === 'Average') return challenge({ kind: 'weights', selected: 0, better: 0 }, what);
  const { weights } = examination;
  if (!known.weights) return { verdict: 'withheld', what: "the weights behind the record's root" };
  // Where it is not who was selected but how much each counts, any pair asks for it.
  const selected = weights.findIndex((weight, row) => weight > 0 && right[row] === 0);
  const better = right.findIndex((weight, row) => weight > 0 && weights[row] === 0);
  const pair = selected < 0 || better < 0 ? { selected: 0, better: 0 } : { selected, better };
  return challenge({ kind: 'weights', ...pair }, what);
};

/** Which updates have a part in the aggregate by the record's own weights; undefined where that is not known. */
function activeRows({ view, n, known, weights }: Examination): boolean[] | undefined {
  const { rule: spec } = view.terms.manifest.aggregation;
  if (!isWeighted(spec)) return Array<boolean>(n).fill(true);
  return known.weights ? weights.map((weight) => weight > 0) : undefined;
}

/** Holds the scores to the committed Gram matrix and weights. */
export const checkScores: Check = (examination) => {
  const { view, evidence, n, known } = examination;
  const { manifest } = view.terms;
  const what = 'the scores are not what the inner products give';
  if (!recomputesCoordinates(manifest.aggregation.rule, n)) {
    const right = evidence.recomputed?.record.scoresRoot;
    return right === undefined || right === view.record.scoresRoot ? undefined : { verdict: 'off-chain', what };
  }
  const active = activeRows(examination);
  if (!known.gram || active === undefined) return undefined;
  const right = scoresRoot(scoreRows(view.document.gram, active, scoreMethod(manifest)));
  return right === view.record.scoresRoot ? undefined : challenge({ kind: 'scores' }, what);
};
