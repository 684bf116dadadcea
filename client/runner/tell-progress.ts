import type { Log } from '../log.ts';
import type { TrainingProgress } from '../trainers/trainer.ts';

/** Pause between two lines about one training, so that long rounds are seen to move and short ones say nothing. */
const EVERY_MS = 10_000;

/**
 * Tells how far a round's training is, at most every ten seconds.
 *
 * @param log - where
 * @param fields - what each line carries: the round, the attempt
 * @param monotonicMs - a clock that never goes back; it decides nothing but when something is told
 */
export function tellProgress(
  log: Log,
  fields: Readonly<Record<string, unknown>>,
  monotonicMs: () => number = () => performance.now(),
): (progress: TrainingProgress) => void {
  let toldAt = monotonicMs();
  return ({ done, loss }) => {
    const now = monotonicMs();
    if (now - toldAt < EVERY_MS) return;
    toldAt = now;
    const percent = Math.floor(100 * done);
    log.info({ ...fields, percent, ...(loss === undefined ? {} : { loss: Number(loss.toFixed(4)) }) }, 'training');
  };
}
