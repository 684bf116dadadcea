import type { Hex } from '../../../shared/bytes.ts';
import { decodeDocument } from '../../../shared/round/document.ts';
import { republish } from '../../../simulations/cheats/republish.ts';
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
