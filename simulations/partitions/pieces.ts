import type { Rng } from '../../shared/rng.ts';
import { shuffle } from '../random/shuffle.ts';
import type { PartitionTask } from './partition.ts';
import { PartitionError } from './partition-error.ts';

/** Positions 0 to count - 1 in a random order. */
export function shuffled(count: number, rng: Rng): Int32Array {
  return shuffle(
    Int32Array.from({ length: count }, (_, i) => i),
    rng,
  );
}

/** Positions in consecutive pieces whose sizes differ by one at most, the longer ones first. */
export function evenPieces(positions: Int32Array, pieces: number): Int32Array[] {
  const short = Math.floor(positions.length / pieces);
  const longer = positions.length - short * pieces;
  let at = 0;
  return Array.from({ length: pieces }, (_, i) => {
    const from = at;
    at += short + (i < longer ? 1 : 0);
    return positions.slice(from, at);
  });
}

/**
 * Positions in consecutive pieces, one a share: cut where the shares up to it sum to, rounded to the nearest.
 *
 * @param shares - from 0 to 1, summing to 1
 */
export function piecesByShares(positions: Int32Array, shares: Float64Array): Int32Array[] {
  let sum = 0;
  let from = 0;
  return Array.from(shares, (share, i) => {
    sum += share;
    const whole = i === shares.length - 1;
    const to = whole
      ? positions.length
      : Math.min(positions.length, Math.max(from, Math.round(sum * positions.length)));
    const piece = positions.slice(from, to);
    from = to;
    return piece;
  });
}

/** The examples of each class, in the order of the data. */
export function byClass({ labels, classes }: PartitionTask): Int32Array[] {
  const counts = new Int32Array(classes);
  for (const label of labels) counts[label] = (counts[label] as number) + 1;
  const positions = Array.from(counts, (count) => new Int32Array(count));
  const filled = new Int32Array(classes);
  for (const [at, label] of labels.entries()) {
    const place = filled[label] as number;
    (positions[label] as Int32Array)[place] = at;
    filled[label] = place + 1;
  }
  return positions;
}

/** Examples sorted by label, those of one label in the order given. */
export function sortedByLabel(positions: Int32Array, labels: Int32Array): Int32Array {
  const label = (at: number): number => labels[at] as number;
  // Stable, as the language has it: those of one label stay in their order.
  return positions.slice().sort((a, b) => label(a) - label(b));
}

/** Each client's pieces in one, ascending. */
export function gathered(pieces: readonly (readonly Int32Array[])[]): Int32Array[] {
  return pieces.map((of) => {
    const all = new Int32Array(of.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const piece of of) {
      all.set(piece, at);
      at += piece.length;
    }
    return all.sort();
  });
}

/**
 * Refuses to cut fewer examples than there are clients.
 *
 * @throws PartitionError `partition/too-few-examples`
 */
export function checkEnough(name: string, { labels, clients }: PartitionTask): void {
  if (labels.length >= clients) return;
  const sentence = `${name} cannot give ${clients} clients one of ${labels.length} examples each: fewer clients, or more data`;
  throw new PartitionError('partition/too-few-examples', sentence, {
    partition: name,
    examples: labels.length,
    clients,
  });
}

/** How often a random cut is drawn anew when it left a client without examples. */
const DRAWS = 100;

/**
 * The first of some random cuts that gives every client an example (redrawn as Li et al., "Federated learning on non-IID data
 * silos", ICDE 2022, do for a larger minimum).
 *
 * @param remedy - what to do when there is none
 * @throws PartitionError `partition/empty-client`
 */
export function redrawn(name: string, draw: () => Int32Array[], remedy: string): Int32Array[] {
  for (let attempt = 0; attempt < DRAWS; attempt += 1) {
    const cut = draw();
    if (cut.every(({ length }) => length > 0)) return cut;
  }
  const sentence = `${name} left a client without examples in each of ${DRAWS} draws: ${remedy}`;
  throw new PartitionError('partition/empty-client', sentence, { partition: name, draws: DRAWS });
}
