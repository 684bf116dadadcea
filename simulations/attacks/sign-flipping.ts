import { reversedMean } from './inner-product-manipulation.ts';
import type { UpdateAttack } from './scene.ts';
import { sameFromAll } from './vectors.ts';

/** Sign flipping: sends the mean of the honest updates with the sign reversed, `-mean`. */
export const signFlipping: UpdateAttack = {
  name: 'SignFlipping',
  aliases: ['sign-flip', 'sign-flipping', 'SF'],
  summary: 'sends the mean honest update with the sign reversed',
  source:
    'Allen-Zhu, Ebrahimianghazani, Li, Alistarh, "Byzantine-resilient non-convex stochastic gradient descent", ICLR 2021',
  parameters: [],
  kind: 'update',
  looksAt: 'own',
  forge: ({ honest, byzantine }) => sameFromAll(reversedMean(honest, 1), byzantine),
};
