import type { Hex } from '../shared/bytes.ts';
import type { UpdateStatement } from '../shared/commitments/contribution.ts';
import type { SignedReceipt } from '../shared/commitments/receipt.ts';
import type { JobEvent } from './round/events.ts';

/** What the loop looks up about the past: an index over the event log, rebuilt by replaying it. */
export interface JobIndex {
  /** Every event so far, in order. */
  readonly history: readonly JobEvent[];
  /** Takes the next event. */
  add(event: JobEvent): void;
  /** The receipt of this very update, if it was accepted before. */
  acceptedReceipt(
    participant: Hex,
    statement: Pick<UpdateStatement, 'round' | 'attempt' | 'updateRoot'>,
  ): SignedReceipt | undefined;
  /** Whether this is an update of a round that has no outcome yet, which nobody but its sender may know. */
  isSealed(updateRoot: Hex): boolean;
  /** Refusals of one participant that were logged since the last round was anchored, whatever round they named. */
  refusals(participant: Hex): number;
  /** Root of the model that an anchored round made; undefined for one that is not anchored. */
  modelRoot(round: number): Hex | undefined;
  /** Whether a participant has reported metrics of a round's model. */
  hasMetrics(participant: Hex, round: number): boolean;
}

/** Creates an empty index. */
export function createJobIndex(): JobIndex {
  const history: JobEvent[] = [];
  const accepted = new Map<string, SignedReceipt>();
  const sealed = new Set<Hex>();
  const refusals = new Map<Hex, number>();
  const metrics = new Set<string>();
  const models = new Map<number, Hex>();
  let aggregated: Hex | undefined;
  return {
    history,
    add: (event) => {
      history.push(event);
      if (event.type === 'updateAccepted') {
        const { round, attempt, updateRoot } = event.statement;
        accepted.set(`${event.participant}/${round}/${attempt}/${updateRoot}`, event.receipt);
        sealed.add(updateRoot);
      } else if (event.type === 'updateRefused') {
        refusals.set(event.participant, (refusals.get(event.participant) ?? 0) + 1);
      } else if (event.type === 'roundAggregated') {
        aggregated = event.record.modelRoot;
        sealed.clear();
      } else if (event.type === 'roundAnchored') {
        if (aggregated) models.set(event.round, aggregated);
        refusals.clear();
      } else if (event.type === 'metricsReported') {
        metrics.add(`${event.participant}/${event.round}`);
      }
    },
    acceptedReceipt: (participant, { round, attempt, updateRoot }) =>
      accepted.get(`${participant}/${round}/${attempt}/${updateRoot}`),
    isSealed: (updateRoot) => sealed.has(updateRoot),
    refusals: (participant) => refusals.get(participant) ?? 0,
    modelRoot: (round) => models.get(round),
    hasMetrics: (participant, round) => metrics.has(`${participant}/${round}`),
  };
}
