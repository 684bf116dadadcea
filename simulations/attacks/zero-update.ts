import type { UpdateAttack } from './scene.ts';
import { sameFromAll } from './vectors.ts';

/** The plain free-rider: sends back the model that it got, which is an update of zeros, and has trained nothing. */
export const zeroUpdate: UpdateAttack = {
  name: 'ZeroUpdate',
  aliases: ['zero', 'free-rider'],
  summary: 'free-riding: sends an update of zeros',
  source: 'Fraboni, Vidal, Lorenzi, "Free-rider attacks on model aggregation in federated learning", AISTATS 2021',
  parameters: [],
  kind: 'update',
  looksAt: 'own',
  forge: ({ honest, byzantine }) => sameFromAll(new Float32Array((honest[0] as Float32Array).length), byzantine),
};
