import { type Check, challenge } from './diagnosis.ts';
import { recomputesCoordinates, recomputesNumbers } from './settled.ts';

const depthOf = (leaves: number): number => Math.ceil(Math.log2(Math.max(1, leaves)));

/**
 * Holds what is committed to to the number of participants: a record whose trees have other leaves than there are
 * participants has no answer wherever one of them must be opened.
 */
export const checkShapes: Check = ({ view, n, committed }) => {
  const { contributions, gram, weights, scores } = view.document;
  if (committed.contributions && contributions.length !== n) {
    const row = depthOf(contributions.length) === depthOf(n) ? Math.min(contributions.length, n) : 0;
    return challenge({ kind: 'contribution', row }, `there are ${contributions.length} contributions, not ${n}`);
  }
  if (!recomputesNumbers(n)) return undefined;
  const ragged = gram.findIndex((row) => row.length !== n + 1);
  if (committed.gram && (ragged >= 0 || gram.length <= n)) {
    const row = ragged >= 0 && ragged <= n ? ragged : n;
    return challenge({ kind: 'gram', row, column: 0 }, `the Gram matrix is not square, of ${n + 1} rows`);
  }
  const isWrong =
    (committed.gram && gram.length !== n + 1) ||
    (committed.weights && weights !== null && weights.length !== n) ||
    (committed.scores && scores.length !== n);
  if (!isWrong) return undefined;
  const what = `Gram matrix, weights or scores are not those of ${n} participants`;
  const settled = recomputesCoordinates(view.terms.manifest.aggregation.rule, n);
  return settled ? challenge({ kind: 'scores' }, what) : { verdict: 'off-chain', what };
};
