import { type NumericParameter, numberParam } from '../../shared/aggregation/parameters.ts';
import type { Partition } from './partition.ts';
import { checkEnough, evenPieces, gathered, shuffled, sortedByLabel } from './pieces.ts';

const GAMMA: NumericParameter = {
  name: 'gamma',
  meaning: 'share of the examples that are dealt at random; the others are sorted by label and cut',
  default: 0.5,
  choices: [],
  real: 'non-negative',
  maximum: 1,
};

/**
 * Gamma-similarity: a share gamma of the examples, drawn at random, is dealt evenly; the rest is sorted by label and cut
 * into consecutive equal parts. 1 is iid; 0 gives each client the examples of one or few labels.
 */
export const gammaSimilarity: Partition = {
  name: 'gamma',
  aliases: ['gamma-similarity', 'gamma_similarity_niid', 'similarity'],
  summary: 'a share gamma dealt at random, the rest sorted by label and cut',
  source: 'Karimireddy et al., "SCAFFOLD", ICML 2020; gamma_similarity_niid of ByzFL',
  parameters: [GAMMA],
  cut: (task, params, rng) => {
    checkEnough('gamma', task);
    const order = shuffled(task.labels.length, rng);
    const similar = Math.floor(numberParam(params, GAMMA) * order.length);
    const rest = sortedByLabel(order.slice(similar), task.labels);
    const sorted = evenPieces(rest, task.clients);
    // The longer of the similar pieces go to the clients with the shorter sorted ones, so that sizes differ by one at most.
    const dealt = evenPieces(order.slice(0, similar), task.clients).reverse();
    return gathered(sorted.map((piece, client) => [piece, dealt[client] as Int32Array]));
  },
};
