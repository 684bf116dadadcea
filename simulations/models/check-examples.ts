import type { Examples } from '../data/dataset.ts';
import { LearnerError } from './learner-error.ts';

/** Refuses vectors that are not of the model. @throws LearnerError `learner/bad-length` */
export function checkLength(what: string, found: number, parameters: number): void {
  if (found === parameters) return;
  const sentence = `the ${what} have ${found} values, the model has ${parameters} parameters: they are of another model`;
  throw new LearnerError('learner/bad-length', sentence, { found, parameters });
}

/**
 * Refuses a batch that points beside the examples, is empty, or has a label beyond the classes.
 *
 * @throws LearnerError `learner/bad-example`, `learner/bad-label`, `learner/bad-length`
 */
export function checkBatch(
  examples: Examples,
  batch: Int32Array | readonly number[],
  features: number,
  classes: number,
): void {
  checkSize(examples, features);
  if (batch.length === 0) {
    throw new LearnerError('learner/bad-example', 'a batch is empty: its mean is of nothing; give it an example', {});
  }
  for (const at of batch) {
    if (!Number.isInteger(at) || at < 0 || at >= examples.count) {
      const sentence = `a batch names the example ${at}: there are 0 to ${examples.count - 1}`;
      throw new LearnerError('learner/bad-example', sentence, { example: at, examples: examples.count });
    }
    checkLabel(examples, at, classes);
  }
}

/** The same of all examples. @throws LearnerError `learner/bad-label`, `learner/bad-length` */
export function checkExamples(examples: Examples, features: number, classes: number): void {
  checkSize(examples, features);
  for (let at = 0; at < examples.count; at++) checkLabel(examples, at, classes);
}

function checkLabel({ labels }: Examples, at: number, classes: number): void {
  const label = labels[at] as number;
  if (label >= 0 && label < classes) return;
  const sentence = `example ${at} has the label ${label}: the model knows the classes 0 to ${classes - 1}`;
  throw new LearnerError('learner/bad-label', sentence, { example: at, label, classes });
}

function checkSize({ inputs, labels, count }: Examples, features: number): void {
  if (inputs.length === count * features && labels.length === count) return;
  const sentence = `${count} examples have ${inputs.length} values and ${labels.length} labels: the model takes ${features} values and a label each`;
  throw new LearnerError('learner/bad-length', sentence, { count, values: inputs.length, features });
}
