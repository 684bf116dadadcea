import type { Hex } from '../../shared/bytes.ts';
import type { UpdateStatement } from '../../shared/commitments/contribution.ts';
import { isAsked } from '../../shared/round/sampling.ts';
import type { Collecting, JobState } from '../round/state.ts';
import type { Refusal } from './refusal.ts';

/**
 * Checks a statement against where the job stands, before anything else is looked at.
 *
 * @param state - where the job stands
 * @param job - the job
 * @param participant - who submits
 * @param statement - what it states
 * @returns why the submission is refused, or undefined
 */
export function checkStatement(
  state: JobState,
  job: Hex,
  participant: Hex,
  statement: Pick<UpdateStatement, 'job' | 'round' | 'attempt'> & Partial<UpdateStatement>,
): Refusal | undefined {
  if (statement.job !== job) return rejected('gate/wrong-job');
  if (state.progress.banned?.[participant] !== undefined) return rejected('gate/banned');
  const open = state.phase === 'collecting' ? state.plan : undefined;
  if (open === undefined || statement.round !== open.round || statement.attempt !== open.attempt) {
    return hasClosed(state, statement) ? { verdict: 'late', code: 'gate/late' } : rejected('gate/wrong-round');
  }
  const { plan, answers, draw } = state as Collecting;
  if (answers[participant]?.verdict === 'accepted') return rejected('gate/duplicate');
  if (!isAsked(draw, plan, participant)) return rejected('gate/not-asked');
  const { parents } = state.progress;
  if (statement.parentRoot !== undefined && !(parents ?? [plan.parentRoot]).includes(statement.parentRoot)) {
    return rejected(parents ? 'gate/too-stale' : 'gate/wrong-parent');
  }
  if (statement.samples === 0) return rejected('gate/no-samples');
  return undefined;
}

/** Whether a round and attempt may have been open once and no longer are. */
function hasClosed(state: JobState, { round, attempt }: Pick<UpdateStatement, 'round' | 'attempt'>): boolean {
  const { rounds, attempt: latest, rewound } = state.progress;
  // Whoever answers a round that the chain has taken back did what it was asked: that is late, and no fault.
  if (rewound && round >= 1 && round <= rewound.through && attempt < rewound.attempt) return true;
  if (round < 1 || round > rounds + 1 || attempt > latest) return false;
  if (round <= rounds) return true;
  switch (state.phase) {
    case 'aggregating':
    case 'anchoring':
    case 'failed':
      return true;
    default:
      // The next round is open under the latest attempt or not yet: only the attempts before it are over.
      return attempt < latest;
  }
}

function rejected(code: Refusal['code']): Refusal {
  return { verdict: 'rejected', code };
}
