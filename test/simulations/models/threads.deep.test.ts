import { expect, it } from 'vitest';
import { openLearner } from '../../../simulations/models/open-learner.ts';
import { CLASSES, MODELS, sameBits } from './toy.ts';

it.each(Object.entries(MODELS))('%s has the same bits on one, two and three threads', async (_, { model, shape }) => {
  const results = new Set<string>();
  for (const threads of [1, 2, 3]) {
    const learner = await openLearner(model, { shape, classes: CLASSES }, threads, 1);
    results.add(await sameBits(learner, shape));
    await learner.close();
  }
  expect(results.size).toBe(1);
});
