import type { Hex } from '../shared/bytes.ts';
import type { UpdateStatement } from '../shared/commitments/contribution.ts';
import type { SignedReceipt } from '../shared/commitments/receipt.ts';
import type { RoundRecordJson } from '../shared/commitments/record.ts';
import type { JobEvent } from './round/events.ts';
import { type JobState, type RoundResult, resultOf } from './round/state.ts';

/** What the loop looks up about the past: an index over the event log, rebuilt by replaying it. */
export interface JobIndex {
  /** Every event so far, in order. */
  readonly history: readonly JobEvent[];
  /** Takes the next event, with where the job stands after it. */
  add(event: JobEvent, after: JobState): void;
  /** The receipt of this very update, if it was accepted before. */
  acceptedReceipt(
    participant: Hex,
    statement: Pick<UpdateStatement, 'round' | 'attempt' | 'updateRoot'>,
  ): SignedReceipt | undefined;
  /** Whether this is an update of a round that has no outcome yet, which nobody but its sender may know. */
  isSealed(updateRoot: Hex): boolean;
  /** Refusals of one participant that were logged since the last round was anchored, whatever round they named. */
  refusals(participant: Hex): number;
  /** What an anchored round has left; undefined for one that is not anchored. */
  resultOf(round: number): RoundResult | undefined;
  /** The record of an anchored round; undefined for one that is not anchored. */
  recordOf(round: number): RoundRecordJson | undefined;
  /** Whether a participant has reported metrics of a round's model. */
  hasMetrics(participant: Hex, round: number): boolean;
}

/** Creates an empty index. */
export function createJobIndex(): JobIndex {
  const history: JobEvent[] = [];
  const accepted = new Map<string, SignedReceipt>();
  const sealed = new Set<Hex>();
  const refusals = new Map<Hex, number>();
  const metrics = new Map<number, Set<Hex>>();
  const anchored = new Map<number, { readonly result: RoundResult; readonly record: RoundRecordJson }>();
  let aggregated: RoundRecordJson | undefined;
  return {
    history,
    add: (event, { progress }) => {
      history.push(event);
      if (event.type === 'updateAccepted') {
        const { round, attempt, updateRoot } = event.statement;
        accepted.set(`${event.participant}/${round}/${attempt}/${updateRoot}`, event.receipt);
        sealed.add(updateRoot);
      } else if (event.type === 'updateRefused') {
        refusals.set(event.participant, (refusals.get(event.participant) ?? 0) + 1);
      } else if (event.type === 'roundAggregated') {
        aggregated = event.record;
        sealed.clear();
      } else if (event.type === 'roundAnchored') {
        // One that the job did not wait for has changed nothing.
        if (aggregated && event.round === progress.rounds) {
          anchored.set(event.round, { result: resultOf(progress), record: aggregated });
        }
        refusals.clear();
      } else if (event.type === 'roundsRewound') {
        for (const round of [...anchored.keys()]) if (round > progress.rounds) anchored.delete(round);
        // Another model will be the one of that round.
        for (const round of [...metrics.keys()]) if (round > progress.rounds) metrics.delete(round);
      } else if (event.type === 'metricsReported') {
        metrics.set(event.round, (metrics.get(event.round) ?? new Set()).add(event.participant));
      }
    },
    acceptedReceipt: (participant, { round, attempt, updateRoot }) =>
      accepted.get(`${participant}/${round}/${attempt}/${updateRoot}`),
    isSealed: (updateRoot) => sealed.has(updateRoot),
    refusals: (participant) => refusals.get(participant) ?? 0,
    resultOf: (round) => anchored.get(round)?.result,
    recordOf: (round) => anchored.get(round)?.record,
    hasMetrics: (participant, round) => metrics.get(round)?.has(participant) === true,
  };
}
