/** The model's state after a round that was tested. */
export interface CurvePoint {
  /** Rounds done. */
  readonly round: number;
  /** Share of test examples classified rightly, 0 to 1. */
  readonly accuracy: number;
  /** Mean test loss, nats. */
  readonly loss: number;
  /** Mean training loss of the honest batches of the round; null at round 0. */
  readonly trainLoss: number | null;
  /** Share of triggered examples that go to the target class; absent where the attack has no trigger. */
  readonly backdoor?: number;
  /** Bytes uploaded and downloaded so far, all clients together. */
  readonly bytesUp: number;
  /** Bytes downloaded so far. */
  readonly bytesDown: number;
  /** Virtual seconds so far; null without a network. */
  readonly seconds: number | null;
}

/** What one kind of client did and earned, summed over the run. */
export interface KindTotals {
  /** Clients of the kind. */
  readonly clients: number;
  /** Updates that were aggregated. */
  readonly updates: number;
  /** Sum of the weights that a rule gave them, 1 a round in all; null for a coordinate rule, which has none. */
  readonly weight: number | null;
  /** Rewards earned, in the token's smallest unit, a decimal string. */
  readonly earned: string;
  /** Rounds in which at least one of them had a part in the aggregate. */
  readonly activeRounds: number;
}

/** What a run gave; plain JSON, and the same bytes wherever and however often it is run. */
export interface RunResult {
  /** How it ended. A run diverged when its model or loss is no longer a finite number, or its updates cannot be coded. */
  readonly outcome: 'finished' | 'diverged' | 'failed';
  /** Why, where it did not finish; an error's code and message. */
  readonly reason?: { readonly code: string; readonly message: string };
  /** The tested rounds, round 0 first. */
  readonly curve: readonly CurvePoint[];
  /** Accuracy at the end. */
  readonly finalAccuracy: number;
  /** Best accuracy along the curve. */
  readonly bestAccuracy: number;
  /** Honest and Byzantine clients. */
  readonly kinds: { readonly honest: KindTotals; readonly byzantine: KindTotals };
  /** What each client earned in all, in client order (honest first), the token's smallest unit, decimal strings. */
  readonly earnedByClient: readonly string[];
  /** Share of the weight that went to the Byzantine, each tested round; null where a rule has no weights. */
  readonly byzantineWeight: readonly (number | null)[];
  /** Rounds: closed at the deadline, updates that came too late, clients that dropped out, failed attempts; mean staleness. */
  readonly traffic: {
    readonly atDeadline: number;
    readonly late: number;
    readonly dropped: number;
    readonly attempts: number;
    readonly meanStaleness: number;
  } | null;
  /** SHA-256 of the final model's integers: two runs agree on it or they are not the same run. */
  readonly modelHash: string;
  /** Hash of the last round's record where rounds were committed to. */
  readonly headHash: string | null;
  /** SHA-256 of the data used. */
  readonly dataHash: string;
}
