import type { InputQueue } from './input-queue.ts';
import type { JobIndex } from './job-index.ts';
import type { HeadAttested, RoundsRewound } from './round/events.ts';
import { type JobState, resultOf } from './round/state.ts';

/** What a job's loop is told of its court: by participants, and by whoever follows the chain. */
export interface CourtInputs {
  /** A participant's attestation, checked by whoever hands it on, is kept. */
  attest(attestation: Omit<HeadAttested, 'type' | 'at'>): Promise<void>;
  /** The chain has taken back rounds; a rewind that is known already changes nothing. */
  rewind(rewind: Pick<RoundsRewound, 'firstRound' | 'lastRound' | 'minAttempt'>): Promise<void>;
  /** The coordinator's bond was looked at: while it is below what is needed no round opens. In the token's smallest unit. */
  weighBond(bond: { readonly held: bigint; readonly needed: bigint }): Promise<void>;
}

/**
 * Creates the part of a job's loop that takes these.
 *
 * @param first - where the job began
 */
export function createCourtInputs(
  inputs: InputQueue,
  index: Pick<JobIndex, 'resultOf'>,
  first: JobState,
  now: () => number,
): CourtInputs {
  return {
    attest: (attestation) =>
      inputs.take(attestation.participant, (draft) => {
        draft.record({ type: 'headAttested', at: now(), ...attestation });
      }),
    // Decided alone: the index is that of the state.
    rewind: ({ firstRound, lastRound, minAttempt }) =>
      inputs.take(undefined, (draft) => {
        const { progress } = draft.state;
        if (minAttempt <= (progress.rewound?.minAttempt ?? 0)) return;
        const to = index.resultOf(Math.min(progress.rounds, firstRound - 1)) ?? resultOf(first.progress);
        draft.record({ type: 'roundsRewound', at: now(), firstRound, lastRound, minAttempt, to });
      }),
    weighBond: ({ held, needed }) =>
      inputs.take(undefined, (draft) => {
        const { phase, progress } = draft.state;
        if (phase === 'failed') return;
        const { unbonded } = progress;
        const isShort = held < needed;
        if (isShort && unbonded?.held !== String(held)) {
          draft.record({ type: 'bondFellShort', at: now(), held: String(held), needed: String(needed) });
        } else if (!isShort && unbonded) draft.record({ type: 'bondRestored', at: now() });
      }),
  };
}
