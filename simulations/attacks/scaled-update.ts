import type { Trainer } from '../../client/trainers/trainer.ts';

/**
 * A trainer whose update is a multiple of the honest one.
 *
 * @param honest - who trains
 * @param factor - what the honest update is multiplied with
 */
export function scaleUpdate(honest: Trainer, factor: number): Trainer {
  return {
    ...(honest.workerMomentum === undefined ? {} : { workerMomentum: honest.workerMomentum }),
    evaluate: (weights) => honest.evaluate(weights),
    dispose: () => honest.dispose(),
    train: async (task, signal) => {
      const result = await honest.train(task, signal);
      return { ...result, update: result.update.map((values) => values.map((value) => factor * value)) };
    },
  };
}
