import * as tf from '@tensorflow/tfjs-core';
import { startRegistered } from './start-registered.ts';
import type { StartedBackend } from './started-backend.ts';

/** Starts the backend in plain JavaScript. */
export async function startCpu(): Promise<StartedBackend> {
  await import('@tensorflow/tfjs-backend-cpu');
  const production = tf.env().getBool('PROD');
  // On its first write this backend prints an advertisement, except in production mode.
  tf.env().set('PROD', true);
  try {
    await startRegistered('cpu');
    tf.tidy(() => tf.add(tf.scalar(1), 1).dataSync());
  } finally {
    tf.env().set('PROD', production);
  }
  return { registeredAs: 'cpu' };
}
