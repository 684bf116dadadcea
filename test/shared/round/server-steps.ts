import type { ServerStep } from '../../../shared/fixed-point/server-step-settings.ts';

/** One of each server step beside plain FedAvg, with the parameters that their papers start from. */
export const SERVER_STEPS: readonly ServerStep[] = [
  { name: 'FedAvgM', learningRate: 65536, momentum: 58982 },
  { name: 'FedAdagrad', learningRate: 655, beta1: 58982, tau: 1073742 },
  { name: 'FedYogi', learningRate: 655, beta1: 58982, beta2: 64881, tau: 1073742 },
  { name: 'FedAdam', learningRate: 655, beta1: 58982, beta2: 64881, tau: 1073742 },
];
