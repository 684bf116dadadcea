import * as tf from '@tensorflow/tfjs-core';

/**
 * Makes a registered backend the current one.
 *
 * @param name - as it was registered
 * @throws Error when it does not start
 */
export async function startRegistered(name: string): Promise<void> {
  if (!(await tf.setBackend(name))) throw new Error(`TensorFlow.js could not start its "${name}" backend`);
  await tf.ready();
}
