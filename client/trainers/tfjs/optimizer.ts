import * as tf from '@tensorflow/tfjs-core';
import type { TrainingSettings } from './training-settings.ts';

/** An optimizer at work on some variables. */
export interface Descent {
  /** Takes one step downhill and returns the loss before it. Reads wait: a GPU answers in its own time. */
  step(loss: () => tf.Scalar): Promise<number>;
  /** Frees the optimizer's own tensors, not the variables. */
  dispose(): void;
}

/**
 * Starts an optimizer whose velocities are zero. TensorFlow.js's own momentum optimizer never frees its learning rate, a
 * tensor a round, and keeps velocities by variable name; here they belong to one round and go with it.
 *
 * @param settings - optimizer, learning rate and momentum
 * @param variables - what to optimize
 */
export function createDescent(settings: TrainingSettings, variables: readonly tf.Variable[]): Descent {
  const { learningRate, clipNorm } = settings;
  const momentum = settings.optimizer === 'momentum' ? settings.momentum : 0;
  const velocities =
    momentum === 0 ? [] : variables.map((variable) => tf.tidy(() => tf.variable(tf.zerosLike(variable), false)));
  return {
    step: async (loss) => {
      const { value, grads } = tf.tidy(() => tf.variableGrads(loss, [...variables]));
      try {
        const shrink = clipNorm === undefined ? 1 : await shrinkage(Object.values(grads), clipNorm);
        tf.tidy(() => {
          variables.forEach((variable, index) => {
            const whole = grads[variable.name];
            if (whole === undefined) return;
            const gradient = shrink === 1 ? whole : tf.mul(whole, shrink);
            const velocity = velocities[index];
            const direction = velocity === undefined ? gradient : tf.add(tf.mul(velocity, momentum), gradient);
            velocity?.assign(direction);
            variable.assign(tf.sub(variable, tf.mul(direction, learningRate)));
          });
        });
        return (await value.data())[0] ?? Number.NaN;
      } finally {
        tf.dispose([value, ...Object.values(grads)]);
      }
    },
    dispose: () => tf.dispose(velocities),
  };
}

async function shrinkage(gradients: readonly tf.Tensor[], clipNorm: number): Promise<number> {
  const sums = tf.tidy(() => gradients.map((gradient) => tf.sum(tf.square(gradient))));
  try {
    const squares = await Promise.all(sums.map(async (sum) => (await sum.data())[0] ?? 0));
    const norm = Math.sqrt(squares.reduce((sum, square) => sum + square, 0));
    return norm > clipNorm ? clipNorm / norm : 1;
  } finally {
    tf.dispose(sums);
  }
}
