import * as tf from '@tensorflow/tfjs-core';

/** The gradient of one batch's loss. */
export interface BatchGradient {
  /** The loss. */
  readonly loss: number;
  /** One tensor a variable, in their order; undefined where the loss does not depend on a variable. */
  readonly gradients: readonly (tf.Tensor | undefined)[];
  /** Frees the gradients. */
  dispose(): void;
}

/**
 * Computes the loss of a batch and its gradient, shortened to a norm if it is longer. Reads wait: a GPU answers in its own
 * time.
 *
 * @param loss - the batch's loss at the variables as they are
 * @param variables - what to derive by
 * @param clipNorm - largest Euclidean norm of the whole gradient, possibly infinite
 */
export async function batchGradient(
  loss: () => tf.Scalar,
  variables: readonly tf.Variable[],
  clipNorm: number,
): Promise<BatchGradient> {
  const { value, grads } = tf.tidy(() => tf.variableGrads(loss, [...variables]));
  let whole = variables.map((variable) => grads[variable.name]) as (tf.Tensor | undefined)[];
  try {
    const norm = clipNorm === Number.POSITIVE_INFINITY ? 0 : await euclideanNorm(whole);
    if (norm > clipNorm) {
      const shortened = tf.tidy(() => whole.map((gradient) => gradient && tf.mul(gradient, clipNorm / norm)));
      dispose(whole);
      whole = shortened;
    }
    return {
      loss: (await value.data())[0] ?? Number.NaN,
      gradients: whole,
      dispose: () => dispose(whole),
    };
  } catch (error) {
    dispose(whole);
    throw error;
  } finally {
    value.dispose();
  }
}

async function euclideanNorm(gradients: readonly (tf.Tensor | undefined)[]): Promise<number> {
  const sums = tf.tidy(() => gradients.flatMap((gradient) => (gradient ? [tf.sum(tf.square(gradient))] : [])));
  try {
    const squares = await Promise.all(sums.map(async (sum) => (await sum.data())[0] ?? 0));
    return Math.sqrt(squares.reduce((sum, square) => sum + square, 0));
  } finally {
    tf.dispose(sums);
  }
}

function dispose(gradients: readonly (tf.Tensor | undefined)[]): void {
  for (const gradient of gradients) gradient?.dispose();
}
