import type { Log } from '../../log.ts';
import type { Answer } from './child.ts';
import { ProcessTrainerError } from './process-error.ts';

/**
 * Holds an answer to the kind that was asked for. What the program says of its own errors is told here, and goes no further.
 *
 * @throws ProcessTrainerError `trainer/process-reported`, `trainer/process-bad-output`
 */
export function expectAnswer<Type extends Answer['type']>(
  answer: Answer,
  type: Type,
  log: Log,
): Extract<Answer, { type: Type }> {
  if (answer.type === type) return answer as Extract<Answer, { type: Type }>;
  if (answer.type === 'error') {
    const { code, message } = answer;
    log.error({ code, trainer: message.slice(0, 2_000) }, 'the trainer reports an error');
    throw new ProcessTrainerError(
      'trainer/process-reported',
      `the trainer reports "${code}": the client's log has its message`,
      { reported: code },
    );
  }
  throw new ProcessTrainerError('trainer/process-bad-output', `the trainer answers "${answer.type}", not "${type}"`);
}
