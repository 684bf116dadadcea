import type { LocalTrainer } from '../../client/tasks/local-trainer.ts';
import { createRng } from '../../shared/rng.ts';

/** Pauses between a client's tries, short enough for a test that restarts its coordinator dozens of times. */
export const PAUSES = { firstDelayMs: 20, mostDelayMs: 100 };

/** A trainer that learns a drift which all share and noise of its own, both drawn by code: the same bits everywhere. */
export function createDriftTrainer(before: () => Promise<void> | undefined = () => undefined): LocalTrainer {
  return {
    datasetCommitment: `0x${'da'.repeat(32)}`,
    trainer: {
      train: async ({ weights, seed, round }) => {
        await before();
        const own = createRng(seed, 'own');
        const shared = createRng(round, 'shared');
        const update = weights.map((tensor) =>
          tensor.map(() => (shared.nextFloat() - 0.5) / 8 + (own.nextFloat() - 0.5) / 64),
        );
        return { update, samples: 100, loss: 1 };
      },
      evaluate: async (weights) => ({
        correct: weights.length,
        total: 10,
        lossSum: 12.5,
        constantCorrect: 1,
      }),
      dispose: () => {},
    },
  };
}
