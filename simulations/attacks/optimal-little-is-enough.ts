import { moved } from './little-is-enough.ts';
import { optimized } from './optimal.ts';
import type { UpdateAttack } from './scene.ts';

/** A little is enough that chooses its tau every round by trying the rule out. */
export const optimalLittleIsEnough: UpdateAttack = optimized({
  names: {
    name: 'OptimalALIE',
    aliases: ['Optimal_ALittleIsEnough', 'optimal-alie'],
  },
  summary: 'ALIE with the tau at which the rule ends farthest from the honest mean',
  source: 'Allouah et al., "Fixing by mixing: a recipe for optimal Byzantine ML under heterogeneity", AISTATS 2023',
  update: moved,
});
