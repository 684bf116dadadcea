import * as tf from '@tensorflow/tfjs-core';

/**
 * The softmax cross-entropy of each example, in nats, by the log-sum-exp that subtracts the largest logit first.
 *
 * @param logits - `[count, classes]`
 * @param labels - `count` classes
 * @returns `[count]`
 */
export function crossEntropies(logits: tf.Tensor, labels: Int32Array): tf.Tensor1D {
  const classes = logits.shape.at(-1) ?? 0;
  const answers = tf.cast(tf.oneHot(tf.tensor1d(labels, 'int32'), classes), 'float32');
  return tf.losses.softmaxCrossEntropy(answers, logits, undefined, 0, tf.Reduction.NONE);
}
