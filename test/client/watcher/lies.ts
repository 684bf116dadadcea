import { type Hex, toHex } from '../../../shared/bytes.ts';
import { contributionsRoot } from '../../../shared/commitments/contribution.ts';
import { sha256Digest } from '../../../shared/commitments/hashing.ts';
import { TREE } from '../../../shared/commitments/merkle-tree.ts';
import { gramRoot, scoresRoot, weightsRoot } from '../../../shared/commitments/number-trees.ts';
import type { RoundRecord } from '../../../shared/commitments/record.ts';
import { rewardsTree } from '../../../shared/commitments/rewards-tree.ts';
import { blockRoot } from '../../../shared/commitments/vector-trees.ts';
import { totalRewards } from '../../../shared/round/cumulative-rewards.ts';
import { decodeDocument, encodeDocument, type RoundDocument } from '../../../shared/round/document.ts';
import type { RoundOutcome } from '../../../shared/round/transition.ts';
import type { Meddling } from '../auditor/history.ts';

/** A lie that its teller makes as consistent as it can: everything it publishes has the roots that it anchors. */
export interface Lie {
  /** What it is called. */
  readonly name: string;
  /** The dispute that must settle it. */
  readonly kind: string;
  /** The rule that the job needs for it. */
  readonly rule?: { readonly rule: string; readonly f: number };
  /** How it is told in a round. */
  readonly meddling: Meddling;
}

/** Publishes other vectors, numbers or contributions, and the record that fits them. */
function republish(
  outcome: RoundOutcome,
  change: {
    readonly vectors?: Partial<Pick<RoundOutcome, 'model' | 'aggregate'>>;
    readonly document?: Partial<RoundDocument>;
    readonly record?: Partial<RoundRecord>;
  },
): RoundOutcome {
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

function altered(vector: Int32Array, at: number, by: number): Int32Array {
  const copy = Int32Array.from(vector);
  copy[at] = (copy[at] ?? 0) + by;
  return copy;
}

/** Lies that the chain settles, told about one round. */
export const LIES: readonly Lie[] = [
  {
    name: 'a wrong coordinate of aggregate and model',
    kind: 'coordinate',
    meddling: {
      outcome: (outcome) =>
        republish(outcome, {
          vectors: { aggregate: altered(outcome.aggregate, 70, 999), model: altered(outcome.model, 70, 9) },
        }),
    },
  },
  {
    name: 'another model than follows from the aggregate',
    kind: 'coordinate',
    meddling: { outcome: (outcome) => republish(outcome, { vectors: { model: altered(outcome.model, 3, -1) } }) },
  },
  {
    name: 'weights that choose the second best',
    kind: 'weights',
    rule: { rule: 'Krum', f: 1 },
    meddling: {
      outcome: (outcome) => {
        const { weights } = decodeDocument(outcome.document);
        const others = (weights ?? []).map((_, row, all) => all[(row + 1) % all.length] as number);
        return republish(outcome, { document: { weights: others } });
      },
    },
  },
  {
    name: 'a wrong entry of the Gram matrix',
    kind: 'gram',
    meddling: {
      outcome: (outcome) => {
        const { gram } = decodeDocument(outcome.document);
        const wrong = gram.map((row, i) => row.map((entry, j) => (i + j === 1 ? entry + 12_345n : entry)));
        return republish(outcome, { document: { gram: wrong } });
      },
    },
  },
  {
    name: 'wrong rewards',
    kind: 'reward',
    meddling: {
      outcome: (outcome) => {
        const rewards = [...outcome.rewards];
        const [first, second] = rewards;
        if (first === undefined || second === undefined) throw new Error('nobody earned anything');
        rewards[0] = { ...first, cumulative: first.cumulative + 1n };
        rewards[1] = { ...second, cumulative: second.cumulative - 1n };
        return republish(outcome, { document: { rewards } });
      },
    },
  },
  {
    name: 'an update that nobody signed',
    kind: 'contribution',
    meddling: {
      outcome: (outcome) => {
        const { contributions } = decodeDocument(outcome.document);
        const forged = contributions.map((one, row) =>
          row === 2 ? { ...one, signature: contributions[3]?.signature as Hex } : one,
        );
        return republish(outcome, { document: { contributions: forged } });
      },
    },
  },
];
