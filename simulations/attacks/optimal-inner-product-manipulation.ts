import { reversedMean } from './inner-product-manipulation.ts';
import { optimized } from './optimal.ts';
import type { UpdateAttack } from './scene.ts';

/** Inner-product manipulation that chooses its tau every round by trying the rule out. */
export const optimalInnerProductManipulation: UpdateAttack = optimized({
  names: {
    name: 'OptimalIPM',
    aliases: ['Optimal_InnerProductManipulation', 'optimal-ipm'],
  },
  summary: 'IPM with the tau at which the rule ends farthest from the honest mean',
  source: 'Allouah et al., "Fixing by mixing: a recipe for optimal Byzantine ML under heterogeneity", AISTATS 2023',
  update: reversedMean,
});
