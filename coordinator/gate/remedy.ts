import type { JobState } from '../round/state.ts';
import type { Refusal, RefusalCode } from './refusal.ts';

/** What a client does about a refusal that has nothing to do with where the job stands. */
const REMEDIES: Partial<Record<RefusalCode, string>> = {
  'gate/wrong-job': 'this is another job: connect to its own coordinator',
  'gate/duplicate': 'an update of this participant was accepted already: it stands, wait for the next round',
  'gate/banned': 'the operator has banned this participant from the job: ask the operator',
  'gate/not-staked': 'this participant has no stake in the job, or is leaving: stake with "fedanchor stake add"',
  'gate/too-stale':
    'the update was trained from none of the last models that this job takes updates of: fetch the latest and train again',
  'gate/not-asked': 'this participant was not drawn for the round: wait for the next one',
};

/**
 * Tells a client, which may be long out of date, what to do now.
 *
 * @param state - where the job stands
 * @param refusal - why its update is not taken
 * @returns one sentence
 */
export function remedyOf(state: JobState, { code }: Refusal): string {
  return REMEDIES[code] ?? whereTheJobIs(state);
}

function whereTheJobIs(state: JobState): string {
  const next = state.progress.rounds + 1;
  switch (state.phase) {
    case 'collecting': {
      const { round, attempt, parentRoot } = state.plan;
      return `round ${round}, attempt ${attempt} is open: train from model ${parentRoot} and answer that one`;
    }
    case 'open':
      return `no round is open: stay connected and wait for round ${next}`;
    case 'aggregating':
    case 'anchoring':
      return `round ${next} takes no more updates: stay connected and wait for the one after it`;
    case 'closed':
      return 'the job is over: fetch the final model';
    case 'failed':
      return `the job has failed: ${state.reason}`;
  }
}
