import { type NumericParameter, numberParam } from '../../shared/aggregation/parameters.ts';
import type { Parameter } from '../../shared/aggregation/rule.ts';
import type { Rng } from '../../shared/rng.ts';
import { exp, log } from '../models/elementary.ts';
import { dirichlet } from '../random/dirichlet.ts';
import type { Partition } from './partition.ts';
import { PartitionError } from './partition-error.ts';
import { checkEnough, gathered, piecesByShares, redrawn, shuffled } from './pieces.ts';

const ALPHA: NumericParameter = {
  name: 'alpha',
  meaning: 'dirichlet: concentration, large is equal sizes; power: exponent, 0 is equal sizes',
  default: 1,
  choices: [],
  real: 'non-negative',
};
const LAW: Parameter = {
  name: 'law',
  meaning: 'power: the k-th largest client has a share like k^-alpha; dirichlet: shares are one Dirichlet draw',
  default: 'power',
  choices: ['power', 'dirichlet'],
};

/**
 * Quantity skew: every client's labels are distributed alike, but some have many examples and some few. Under the power law
 * each client has one example, and the rest is dealt by `k^-alpha`, to clients in random order.
 */
export const quantity: Partition = {
  name: 'quantity',
  aliases: ['quantity-skew', 'unbalanced'],
  summary: 'labels alike, sizes apart: by a power law, or a Dirichlet draw',
  source: 'Li, Diao, Chen, He, "Federated learning on non-IID data silos: an experimental study", ICDE 2022',
  parameters: [ALPHA, LAW],
  cut: (task, params, rng) => {
    checkEnough('quantity', task);
    const { clients, labels } = task;
    const alpha = numberParam(params, ALPHA);
    const order = shuffled(labels.length, rng);
    if (params[LAW.name] === 'dirichlet') {
      if (alpha === 0) throw noDraw();
      const concentrations = Array.from({ length: clients }, () => alpha);
      const draw = (): Int32Array[] =>
        gathered(piecesByShares(order, dirichlet(concentrations, rng)).map((piece) => [piece]));
      return redrawn('quantity', draw, 'give a larger alpha, fewer clients or more data');
    }
    const pieces = piecesByShares(order.slice(clients), powerShares(clients, alpha, rng));
    return gathered(pieces.map((piece, client) => [piece, order.slice(client, client + 1)]));
  },
};

function noDraw(): PartitionError {
  const sentence = 'quantity cannot draw Dirichlet shares with alpha = 0: give a positive one';
  return new PartitionError('partition/bad-parameter', sentence, {
    partition: 'quantity',
    parameter: 'alpha',
    value: 0,
  });
}

/** Shares like `k^-alpha`, k being the client's place in a random order. */
function powerShares(clients: number, alpha: number, rng: Rng): Float64Array {
  const places = shuffled(clients, rng);
  const weights = Float64Array.from(places, (place) => exp(-alpha * log(place + 1)));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}
