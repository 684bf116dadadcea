import { createRng } from '../../../shared/rng.ts';
import type { Examples } from '../../data/dataset.ts';
import type { RunSpec } from '../../experiment/run-spec.ts';

/** A step of an experiment: so many clients, each with a batch. */
export interface Workload {
  /** What it is. */
  readonly name: string;
  /** The model. */
  readonly model: RunSpec['model'];
  /** Shape of one example. */
  readonly shape: readonly number[];
  /** Clients. */
  readonly clients: number;
  /** Examples of one client. */
  readonly batch: number;
}

const MNIST = [28, 28, 1];

/** The steps of the published experiments, and one of a model so small that computing it is the least of its cost. */
export const WORKLOADS: readonly Workload[] = [
  { name: 'E3: MLP 784-100-10', model: { name: 'mlp' }, shape: MNIST, clients: 10, batch: 25 },
  { name: 'digits: softmax 64-10', model: { name: 'softmax' }, shape: [8, 8, 1], clients: 100, batch: 10 },
  { name: 'E1: cnn_mnist', model: { name: 'cnn_mnist' }, shape: MNIST, clients: 10, batch: 25 },
  { name: 'E2: cnn_bucketing', model: { name: 'cnn_bucketing' }, shape: MNIST, clients: 20, batch: 32 },
];

/** Classes of every workload. */
export const CLASSES = 10;

/** Examples of noise: what they hold makes no difference to what a step costs. */
export function noise(count: number, features: number): Examples {
  const rng = createRng(1, 'bench learner');
  const inputs = new Float32Array(new SharedArrayBuffer(4 * count * features));
  for (let at = 0; at < inputs.length; at++) inputs[at] = rng.nextFloat();
  return { inputs, labels: Int32Array.from({ length: count }, () => rng.below(CLASSES)), count };
}
