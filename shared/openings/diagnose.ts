import type { Hex } from '../bytes.ts';
import { contributionsRoot } from '../commitments/contribution.ts';
import { gramRoot, scoresRoot, weightsRoot } from '../commitments/number-trees.ts';
import type { RoundRecord } from '../commitments/record.ts';
import { rewardsTree } from '../commitments/rewards-tree.ts';
import { FedanchorError } from '../errors.ts';
import { checkContributions, checkReceipts } from './check-contributions.ts';
import { checkMatrix, checkUpdateValues } from './check-matrix.ts';
import { checkGram, checkScores, checkWeights } from './check-numbers.ts';
import { checkRewards } from './check-rewards.ts';
import { checkShapes } from './check-shapes.ts';
import { checkAggregate, checkProducts, checkStep } from './check-vectors.ts';
import { type Check, type Diagnosis, type Evidence, type Examination, expectedDocument } from './diagnosis.ts';
import { discontinuityOf } from './facts.ts';
import { OpeningError } from './opening-error.ts';
import type { RoundView } from './round-view.ts';

const checkContinuity: Check = ({ view }) => {
  const what = discontinuityOf(view);
  return what === undefined ? undefined : { verdict: 'discontinuity', what };
};

/** Each link of what makes a round, held to what is committed to before it: so a finding stands by itself. */
const CHECKS: readonly Check[] = [
  checkContinuity,
  checkShapes,
  checkContributions,
  checkReceipts,
  checkUpdateValues,
  checkMatrix,
  checkGram,
  checkWeights,
  checkAggregate,
  checkProducts,
  checkScores,
  checkStep,
  checkRewards,
];

/** Inputs and outputs that a recomputed record must share with the published one. */
const ROOTS = [
  'parentModelRoot',
  'modelRoot',
  'serverStateRoot',
  'aggregateRoot',
  'matrixRoot',
  'contributionsRoot',
  'gramRoot',
  'weightsRoot',
  'scoresRoot',
  'rewardsRoot',
  'rewardsTotal',
] as const satisfies readonly (keyof RoundRecord)[];

/**
 * What shows that a round is wrong, if it is: the first finding that the chain settles, else the first of any other kind.
 *
 * Every part is held to what the record commits to before it, not to what it would be if all before it were right: a
 * dispute that is opened by it has no answer. The one exception is a lie in the matrix, which has to be searched for.
 *
 * @param view - the round as published; vectors and updates verified against their roots by whoever fetched them
 */
export async function diagnose(view: RoundView, evidence: Evidence): Promise<Diagnosis> {
  const { document, record } = view;
  const n = record.participants;
  const weights = document.weights ?? Array<number>(n).fill(0);
  const committed = {
    contributions: isRoot(record.contributionsRoot, () => contributionsRoot(document.contributions)),
    gram: isRoot(record.gramRoot, () => gramRoot(document.gram)),
    weights: isRoot(record.weightsRoot, () => weightsRoot(weights)),
    scores: isRoot(record.scoresRoot, () => scoresRoot(document.scores)),
    rewards: isRoot(record.rewardsRoot, () => rewardsTree(document.rewards).root),
  };
  const isSquare = document.gram.length === n + 1 && document.gram.every((row) => row.length === n + 1);
  const known = {
    contributions: committed.contributions && document.contributions.length === n,
    gram: committed.gram && isSquare,
    weights: committed.weights && weights.length === n,
    scores: committed.scores && document.scores.length === n,
    rewards: committed.rewards,
  };
  const examination = { view, evidence, n, committed, known, weights, expected: expectedDocument(evidence) };
  let other: Diagnosis | undefined;
  for (const check of CHECKS) {
    const found = await carryOut(check, examination);
    if (found?.verdict === 'challenge' || found?.verdict === 'discontinuity') return found;
    other ??= found;
  }
  if (other !== undefined) return other;
  const { recomputed } = evidence;
  const differs = recomputed && ROOTS.find((name) => recomputed.record[name] !== record[name]);
  return differs ? { verdict: 'withheld', what: `what makes ${differs} differ` } : { verdict: 'none' };
}

/** What cannot even be put into a tree is not what is committed to. */
function isRoot(committed: Hex, root: () => Hex): boolean {
  try {
    return root() === committed;
  } catch (error) {
    if (error instanceof FedanchorError) return false;
    throw error;
  }
}

/** Whoever publishes a round may have chosen its numbers so that they cannot be worked with: that is a finding, no failure. */
async function carryOut(check: Check, examination: Examination): Promise<Diagnosis | undefined> {
  try {
    return await check(examination);
  } catch (error) {
    if (!(error instanceof FedanchorError) || error instanceof OpeningError) throw error;
    return { verdict: 'off-chain', what: `the round cannot be computed with: ${error.message}` };
  }
}
