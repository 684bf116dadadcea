import { type NumericParameter, numberParam } from '../../shared/aggregation/parameters.ts';
import type { Parameter } from '../../shared/aggregation/rule.ts';
import type { Rng } from '../../shared/rng.ts';
import { dirichlet as drawShares } from '../random/dirichlet.ts';
import { shuffle } from '../random/shuffle.ts';
import type { Partition, PartitionTask } from './partition.ts';
import { byClass, checkEnough, evenPieces, gathered, piecesByShares, redrawn } from './pieces.ts';

const ALPHA: NumericParameter = {
  name: 'alpha',
  meaning: 'concentration: the smaller, the fewer classes a client has; large is iid',
  default: 1,
  choices: [],
  real: 'positive',
};
const BY: Parameter = {
  name: 'by',
  meaning: 'class: each class is dealt among the clients by its own draw; client: each client draws its mix of classes',
  default: 'class',
  choices: ['class', 'client'],
};

/**
 * Dirichlet: labels are spread unevenly, by Dirichlet(alpha) draws.
 *
 * - `by=class`, ByzFL's and most benchmarks': for each class, shares of the clients are drawn, and its examples cut by them.
 *   Clients have different numbers of examples.
 * - `by=client`, that of Hsu et al.: each client draws shares of the classes around their frequencies (concentration alpha
 *   times the number of classes times the frequency), and all clients have equally many examples. A class that has run out is
 *   left, and the client's other shares grow.
 */
export const dirichlet: Partition = {
  name: 'dirichlet',
  aliases: ['dirichlet_niid', 'lda'],
  summary: 'labels spread unevenly, by Dirichlet draws',
  source:
    'Yurochkin et al., ICML 2019 (by class, as ByzFL); Hsu, Qi, Brown, "Measuring the effects of non-identical data distribution", 2019 (by client)',
  parameters: [ALPHA, BY],
  cut: (task, params, rng) => {
    checkEnough('dirichlet', task);
    const alpha = numberParam(params, ALPHA);
    if (params[BY.name] === 'client') return dealToClients(task, alpha, rng);
    return redrawn('dirichlet', () => dealClasses(task, alpha, rng), 'give a larger alpha, fewer clients or more data');
  },
};

function dealClasses(task: PartitionTask, alpha: number, rng: Rng): Int32Array[] {
  const concentrations = Array.from({ length: task.clients }, () => alpha);
  const pieces = byClass(task).map((positions) =>
    piecesByShares(shuffle(positions, rng), drawShares(concentrations, rng)),
  );
  return gathered(concentrations.map((_, client) => pieces.map((of) => of[client] as Int32Array)));
}

function dealToClients(task: PartitionTask, alpha: number, rng: Rng): Int32Array[] {
  const left = byClass(task).map((positions) => ({ positions: shuffle(positions, rng), taken: 0 }));
  const present = left.filter(({ positions }) => positions.length > 0);
  const concentrations = present.map(
    ({ positions }) => (alpha * present.length * positions.length) / task.labels.length,
  );
  return evenPieces(new Int32Array(task.labels.length), task.clients).map(({ length }) => {
    const shares = drawShares(concentrations, rng);
    return Int32Array.from({ length }, () => {
      const at = drawIndex(shares, present, rng);
      const chosen = present[at] as (typeof present)[number];
      chosen.taken += 1;
      return chosen.positions[chosen.taken - 1] as number;
    }).sort();
  });
}

/** A class by its share, among those that have examples left; where all of theirs are zero, by what they have left. */
function drawIndex(
  shares: Float64Array,
  classes: readonly { readonly positions: Int32Array; readonly taken: number }[],
  rng: Rng,
): number {
  const remaining = classes.map(({ positions, taken }) => positions.length - taken);
  const open = remaining.map((count, i) => (count > 0 ? (shares[i] as number) : 0));
  const weights = open.some((weight) => weight > 0) ? open : remaining;
  let point = rng.nextFloat() * weights.reduce((sum, weight) => sum + weight, 0);
  let last = 0;
  for (const [i, weight] of weights.entries()) {
    if (weight === 0) continue;
    last = i;
    point -= weight;
    if (point < 0) break;
  }
  return last;
}
