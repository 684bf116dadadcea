import type { Trainer } from '../../client/trainers/trainer.ts';

/**
 * A trainer whose update is a multiple of the honest one: `global + factor * (local - global)`.
 *
 * @param honest - who trains
 * @param factor - what the honest update is multiplied with
 */
export function scaleUpdate(honest: Trainer, factor: number): Trainer {
  return {
    evaluate: (weights) => honest.evaluate(weights),
    dispose: () => honest.dispose(),
    train: async (task, signal) => {
      const result = await honest.train(task, signal);
      const weights = result.weights.map((local, index) => {
        const global = task.weights[index] as Float32Array;
        return local.map((value, at) => (global[at] as number) + factor * (value - (global[at] as number)));
      });
      return { ...result, weights };
    },
  };
}
