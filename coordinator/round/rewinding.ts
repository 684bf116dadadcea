import type { RoundsRewound } from './events.ts';
import { openRound } from './opening.ts';
import { stoppedByOperator } from './operated.ts';
import { entered, type Step, unchanged } from './outcome.ts';
import type { JobRules, JobState, Progress } from './state.ts';

/**
 * Any but failed -> collecting | open, back where the job was before the first round that was taken back. What was being
 * done builds on a round that is gone: it is dropped, and whoever answers it is late. A job that was closed goes on.
 *
 * A rewind that was applied before changes nothing.
 */
export function rewound(rules: JobRules, state: JobState, event: RoundsRewound): Step {
  if (event.minAttempt <= (state.progress.rewound?.minAttempt ?? 0)) return unchanged(state);
  const progress = goneBack(state.progress, event);
  // A job that had come to its end before stays there, with less.
  if (state.phase === 'failed') return entered({ ...state, progress });
  return progress.stopping ? stoppedByOperator(progress, progress.stopping) : openRound(rules, progress, event.at);
}

function goneBack(
  { serverStateRoot: _, ...progress }: Progress,
  { firstRound, minAttempt, to }: RoundsRewound,
): Progress {
  // One that the log does not know of, since it was restored from a backup, takes nothing back here.
  const rounds = Math.min(progress.rounds, firstRound - 1);
  const lastOpened = progress.rounds + 1;
  const lastSeedUsed = lastOpened + progress.attempt;
  // No pair of round and attempt comes again, nor does a seed: what was signed for the one proves nothing of the other.
  const attempt = Math.max(minAttempt, lastSeedUsed + 1 - (rounds + 1));
  const { through = 0, skipped = 0 } = progress.rewound ?? {};
  // A model that is gone is nobody's parent any more; those before the last that stands may be too old to be known.
  const parents = progress.parents && [to.modelRoot, ...progress.parents.slice(progress.rounds - rounds + 1)];
  return {
    ...progress,
    ...to,
    ...(parents && { parents }),
    rounds,
    attempt,
    rewound: {
      minAttempt,
      attempt,
      through: Math.max(through, lastOpened),
      skipped: skipped + attempt - progress.attempt,
    },
    ...(progress.setbacks !== undefined && { setbacks: 0 }),
  };
}
