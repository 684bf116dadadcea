import type { Partition } from './partition.ts';
import { checkEnough, evenPieces, gathered, shuffled } from './pieces.ts';

/** IID: shuffled, and cut into equal parts. */
export const iid: Partition = {
  name: 'iid',
  aliases: ['uniform'],
  summary: 'shuffled, and cut into equal parts',
  source: 'McMahan et al., "Communication-efficient learning of deep networks from decentralized data", AISTATS 2017',
  parameters: [],
  cut: (task, _params, rng) => {
    checkEnough('iid', task);
    return gathered(evenPieces(shuffled(task.labels.length, rng), task.clients).map((piece) => [piece]));
  },
};
