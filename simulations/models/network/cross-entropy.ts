import { exp, log } from '../elementary.ts';

/**
 * The loss of one example, `log(sum_j e^z_j) - z_label`, from its logits; and its slopes, `softmax(z) - onehot(label)`, over
 * the batch.
 *
 * @param logits - logits of many examples
 * @param at - where this one's begin
 * @param classes - how many there are
 * @param label - its class
 * @param slopes - takes the slopes at the same place; null if nobody wants them
 * @param batch - slopes are divided by it
 * @returns nats; not a number where a logit is none
 */
export function crossEntropy(
  logits: Float32Array,
  at: number,
  classes: number,
  label: number,
  slopes: Float32Array | null,
  batch: number,
): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let j = at; j < at + classes; j++) if ((logits[j] as number) > most) most = logits[j] as number;
  let sum = 0;
  for (let j = at; j < at + classes; j++) sum += exp((logits[j] as number) - most);
  if (slopes !== null) {
    for (let j = at; j < at + classes; j++) {
      const share = exp((logits[j] as number) - most) / sum;
      slopes[j] = (j === at + label ? share - 1 : share) / batch;
    }
  }
  return log(sum) - ((logits[at + label] as number) - most);
}

/** The position of the largest logit, the first of equal ones; -1 where one of them is no number. */
export function likeliest(logits: Float32Array, at: number, classes: number): number {
  let best = 0;
  for (let j = 0; j < classes; j++) {
    const logit = logits[at + j] as number;
    if (Number.isNaN(logit)) return -1;
    if (logit > (logits[at + best] as number)) best = j;
  }
  return best;
}
