import { createRng, type Rng } from '../../shared/rng.ts';
import { exp, log } from '../models/elementary.ts';
import type { DataSpecOf } from './data-spec.ts';
import type { Dataset, Examples } from './dataset.ts';
import { completeDataset, sharedFloats } from './examples.ts';

/** Examples of a device: e to a normal number of this mean and deviation, and so many more. */
const SIZE = { mean: 4, deviation: 2, least: 50 } as const;
/** The j-th input of a device varies by j to this power. */
const DECAY = -1.2;
/** One example in so many of each device is tested on. */
const TEST_EVERY = 10;

interface Drawn {
  readonly input: Float64Array;
  readonly label: number;
  readonly group: number;
}

/**
 * Synthetic(alpha, beta) of Li, Sahu, Zaheer, Sanjabi, Talwalkar and Smith, "Federated Optimization in Heterogeneous
 * Networks", MLSys 2020: device k labels by `argmax(W_k x + b_k)`, where the entries of W_k and b_k are N(u_k, 1) and u_k is
 * N(0, alpha); its inputs are N(v_k, S) with S diagonal, `S_jj = j^-1.2`, the entries of v_k are N(B_k, 1) and B_k is
 * N(0, beta). As in the authors' program alpha and beta are deviations, not variances. Devices are the natural groups; the
 * last tenth of each one's examples is tested on.
 */
export function makeSyntheticDataset(spec: DataSpecOf<'synthetic'>): Dataset {
  const { alpha, beta, devices, features, classes, most } = spec;
  const train: Drawn[] = [];
  const test: Drawn[] = [];
  const deviations = Float64Array.from({ length: features }, (_, at) => exp((DECAY / 2) * log(at + 1)));
  for (let device = 0; device < devices; device++) {
    const normal = createNormal(createRng(spec.seed, `synthetic/${device}`));
    const size = Math.min(most, Math.floor(exp(SIZE.mean + SIZE.deviation * normal())) + SIZE.least);
    const u = alpha * normal();
    const center = beta * normal();
    const v = Float64Array.from({ length: features }, () => center + normal());
    const weights = Float64Array.from({ length: features * classes }, () => u + normal());
    const biases = Float64Array.from({ length: classes }, () => u + normal());
    for (let at = 0; at < size; at++) {
      const input = Float64Array.from(v, (mean, feature) => mean + (deviations[feature] as number) * normal());
      const drawn = { input, label: likeliest(input, weights, biases), group: device };
      if (at < size - Math.ceil(size / TEST_EVERY)) train.push(drawn);
      else test.push(drawn);
    }
  }
  return completeDataset({
    ...{ name: spec.name, shape: [features], classes },
    ...{ train: toExamples(train, features), test: toExamples(test, features) },
    groupNames: Array.from({ length: devices }, (_, device) => `device ${device}`),
  });
}

/** Normal numbers of mean 0 and deviation 1, by Marsaglia's polar method: `+ - * /`, square root and {@link log} alone. */
function createNormal(rng: Rng): () => number {
  let spare: number | undefined;
  return () => {
    if (spare !== undefined) {
      const kept = spare;
      spare = undefined;
      return kept;
    }
    for (;;) {
      const x = 2 * rng.nextFloat() - 1;
      const y = 2 * rng.nextFloat() - 1;
      const square = x * x + y * y;
      if (square >= 1 || square === 0) continue;
      const factor = Math.sqrt((-2 * log(square)) / square);
      spare = y * factor;
      return x * factor;
    }
  };
}

function likeliest(input: Float64Array, weights: Float64Array, biases: Float64Array): number {
  let best = 0;
  let most = Number.NEGATIVE_INFINITY;
  for (const [label, bias] of biases.entries()) {
    let sum = bias;
    for (let feature = 0; feature < input.length; feature++) {
      sum += (input[feature] as number) * (weights[label * input.length + feature] as number);
    }
    if (sum > most) [best, most] = [label, sum];
  }
  return best;
}

function toExamples(drawn: readonly Drawn[], features: number): Examples {
  const inputs = sharedFloats(drawn.length * features);
  for (const [at, { input }] of drawn.entries()) inputs.set(input, at * features);
  return {
    inputs,
    labels: Int32Array.from(drawn, ({ label }) => label),
    groups: Int32Array.from(drawn, ({ group }) => group),
    count: drawn.length,
  };
}
