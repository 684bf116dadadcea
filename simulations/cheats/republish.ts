import { toHex } from '../../shared/bytes.ts';
import { contributionsRoot } from '../../shared/commitments/contribution.ts';
import { sha256Digest } from '../../shared/commitments/hashing.ts';
import { TREE } from '../../shared/commitments/merkle-tree.ts';
import { gramRoot, scoresRoot, weightsRoot } from '../../shared/commitments/number-trees.ts';
import type { RoundRecord } from '../../shared/commitments/record.ts';
import { rewardsTree } from '../../shared/commitments/rewards-tree.ts';
import { blockRoot } from '../../shared/commitments/vector-trees.ts';
import { totalRewards } from '../../shared/round/cumulative-rewards.ts';
import { decodeDocument, encodeDocument, type RoundDocument } from '../../shared/round/document.ts';
import type { RoundOutcome } from '../../shared/round/transition.ts';

/** What is published in place of the truth. */
export interface Publication {
  /** Other vectors. */
  readonly vectors?: Partial<Pick<RoundOutcome, 'model' | 'aggregate'>>;
  /** Other numbers or contributions. */
  readonly document?: Partial<RoundDocument>;
  /** Other words of the record, whatever is published. */
  readonly record?: Partial<RoundRecord>;
}

/**
 * An outcome with something else in it and the record that fits: a lie as consistent as its teller can make it, for all
 * that is published has the roots that are anchored.
 *
 * @param outcome - the truth
 * @param change - what takes its place
 */
export function republish(outcome: RoundOutcome, change: Publication): RoundOutcome {
  const { model, aggregate } = { ...outcome, ...change.vectors };
  const document: RoundDocument = { ...decodeDocument(outcome.document), ...change.document };
  const bytes = encodeDocument(document);
  const record: RoundRecord = {
    ...outcome.record,
    modelRoot: blockRoot(TREE.model, model),
    aggregateRoot: blockRoot(TREE.aggregate, aggregate),
    participants: document.contributions.length,
    contributionsRoot: contributionsRoot(document.contributions),
    gramRoot: gramRoot(document.gram),
    weightsRoot: weightsRoot(document.weights ?? document.contributions.map(() => 0)),
    scoresRoot: scoresRoot(document.scores),
    rewardsRoot: rewardsTree(document.rewards).root,
    rewardsTotal: totalRewards(document.rewards),
    location: toHex(sha256Digest(bytes)),
    ...change.record,
  };
  return { ...outcome, model, aggregate, document: bytes, record, rewards: document.rewards };
}
