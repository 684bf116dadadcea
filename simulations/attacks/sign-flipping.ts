import type { Attack } from './attack.ts';
import { scaleUpdate } from './scaled-update.ts';

/** Sign flipping (Allen-Zhu et al., "Byzantine-resilient non-convex SGD", ICLR 2021): sends the honest update negated. */
export const signFlipping: Attack = {
  name: 'sign-flip',
  summary: 'sign flipping: sends its own honest update with the sign reversed',
  defaultStrength: 1,
  mount: (honest, strength) => scaleUpdate(honest, -strength),
};
