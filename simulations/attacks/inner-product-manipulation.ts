import type { Attack } from './attack.ts';
import { scaleUpdate } from './scaled-update.ts';

/**
 * Inner-product manipulation (Xie, Koyejo, Gupta, "Fall of empires", UAI 2019): sends `-tau` times a benign update, so
 * that the aggregate's inner product with the true direction turns negative. The paper takes the mean of the honest
 * updates; an attacker that knows no other's takes its own. Among n clients of which one attacks, it turns a plain mean
 * around when tau > n - 1.
 */
export const innerProductManipulation: Attack = {
  name: 'ipm',
  summary: 'inner-product manipulation: sends -tau times its own honest update',
  defaultStrength: 10,
  mount: (honest, tau) => scaleUpdate(honest, -tau),
};
