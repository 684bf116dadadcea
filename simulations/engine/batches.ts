import { streamOf } from './streams.ts';

/** Which examples each client trains on next. */
export interface Batches {
  /** Examples that a client has. */
  count(client: number): number;
  /** A client's next batch: positions among the examples, as a view that holds until the client's next call. */
  next(client: number): Int32Array;
  /** Batches in one pass over a client's examples. */
  perEpoch(client: number): number;
}

/**
 * Deals every client its examples in a new order each epoch, the last batch of an epoch being what is left: the loader of
 * PyTorch with `shuffle`, which ByzFL uses. Orders live in the cut itself, so they take no more memory than the data.
 *
 * @param parts - each client's examples; reordered in place
 * @param batch - examples a batch
 * @param seed - the run's seed
 */
export function createBatches(parts: readonly Int32Array[], batch: number, seed: number): Batches {
  const epochs = new Int32Array(parts.length);
  const positions = Int32Array.from(parts, (part) => part.length);
  const partOf = (client: number): Int32Array => parts[client] as Int32Array;
  return {
    count: (client) => partOf(client).length,
    perEpoch: (client) => Math.ceil(partOf(client).length / batch),
    next: (client) => {
      const part = partOf(client);
      if ((positions[client] as number) >= part.length) {
        const epoch = (epochs[client] as number) + 1;
        epochs[client] = epoch;
        positions[client] = 0;
        shuffle(part, seed, client, epoch);
      }
      const from = positions[client] as number;
      const to = Math.min(from + batch, part.length);
      positions[client] = to;
      return part.subarray(from, to);
    },
  };
}

/** Fisher and Yates, from the order of the epoch before. */
function shuffle(part: Int32Array, seed: number, client: number, epoch: number): void {
  const rng = streamOf(seed, 'batches', client, epoch);
  for (let left = part.length - 1; left > 0; left--) {
    const chosen = rng.below(left + 1);
    const kept = part[left] as number;
    part[left] = part[chosen] as number;
    part[chosen] = kept;
  }
}
