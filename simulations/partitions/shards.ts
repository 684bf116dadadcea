import { type NumericParameter, numberParam } from '../../shared/aggregation/parameters.ts';
import type { Partition } from './partition.ts';
import { PartitionError } from './partition-error.ts';
import { evenPieces, gathered, shuffled, sortedByLabel } from './pieces.ts';

const SHARDS: NumericParameter = {
  name: 'shards',
  meaning: 'shards that each client gets',
  default: 2,
  choices: [],
  minimum: 1,
};

/**
 * Shards: sorted by label, cut into `shards` times as many equal pieces as there are clients, and dealt at random: with 2,
 * most clients see two labels.
 */
export const shards: Partition = {
  name: 'shards',
  aliases: ['pathological'],
  summary: 'sorted by label, cut into shards, and so many shards a client',
  source: 'McMahan et al., "Communication-efficient learning of deep networks from decentralized data", AISTATS 2017',
  parameters: [SHARDS],
  cut: ({ labels, clients }, params, rng) => {
    const each = numberParam(params, SHARDS);
    const pieces = each * clients;
    if (pieces > labels.length) {
      const sentence = `shards cannot cut ${labels.length} examples into ${clients} x ${each} shards: fewer shards or clients, or more data`;
      const data = { partition: 'shards', parameter: 'shards', shards: each, clients, examples: labels.length };
      throw new PartitionError('partition/too-few-examples', sentence, data);
    }
    // Shuffled first: which examples of a label share a shard is no matter of the order in the file.
    const cut = evenPieces(sortedByLabel(shuffled(labels.length, rng), labels), pieces);
    const order = shuffled(pieces, rng);
    return gathered(
      Array.from({ length: clients }, (_, client) =>
        Array.from(order.slice(client * each, (client + 1) * each), (piece) => cut[piece] as Int32Array),
      ),
    );
  },
};
