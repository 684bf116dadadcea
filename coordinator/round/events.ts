import type { Hex } from '../../shared/bytes.ts';
import type { UpdateStatement } from '../../shared/commitments/contribution.ts';
import type { SignedReceipt } from '../../shared/commitments/receipt.ts';
import type { RoundRecordJson } from '../../shared/commitments/record.ts';
import type { ReportedEnergy } from '../../shared/protocol/messages.ts';
import type { RoundResult } from './state.ts';

/**
 * What happened to a job, in the order it happened. The log of these is the job: its state is their fold, and each is
 * on disk before anything follows from it. `at` is the coordinator's clock in milliseconds since 1970.
 */
export type JobEvent =
  | { readonly type: 'participantJoined'; readonly at: number; readonly participant: Hex }
  | { readonly type: 'participantLeft'; readonly at: number; readonly participant: Hex }
  | UpdateAccepted
  | UpdateRefused
  | RoundDeclined
  | {
      readonly type: 'deadlinePassed';
      readonly at: number;
      readonly round: number;
      readonly attempt: number;
    }
  | {
      /** The pause after an attempt that failed early is over. */
      readonly type: 'pauseEnded';
      readonly at: number;
      readonly round: number;
      readonly attempt: number;
    }
  | RoundAggregated
  | {
      readonly type: 'aggregationFailed';
      readonly at: number;
      readonly round: number;
      readonly attempt: number;
      readonly code: string;
      readonly message: string;
    }
  | RoundAnchored
  | RoundsRewound
  | HeadAttested
  | {
      /** The coordinator's bond is below what the manifest asks for: no further round is to open. */
      readonly type: 'bondFellShort';
      readonly at: number;
      /** The bond, in the stake token's smallest unit, decimal. */
      readonly held: string;
      /** What it has to be. */
      readonly needed: string;
    }
  | { readonly type: 'bondRestored'; readonly at: number }
  | { readonly type: 'coordinatorRestarted'; readonly at: number }
  | MetricsReported
  | OperatorEvent;

/** What an operator has done to a job; `by` is who, `reason` is free text for people. */
export type OperatorEvent =
  | {
      /** No further round is to open. */
      readonly type: 'jobPaused';
      readonly at: number;
      readonly by: Hex;
      readonly reason: string;
    }
  | { readonly type: 'jobResumed'; readonly at: number; readonly by: Hex; readonly reason: string }
  | {
      /** The job is to end with what it has. */
      readonly type: 'jobStopped';
      readonly at: number;
      readonly by: Hex;
      readonly reason: string;
    }
  | {
      readonly type: 'participantBanned';
      readonly at: number;
      readonly by: Hex;
      readonly participant: Hex;
      readonly reason: string;
    }
  | {
      /** A ban is lifted. */
      readonly type: 'participantAllowed';
      readonly at: number;
      readonly by: Hex;
      readonly participant: Hex;
      readonly reason: string;
    };

/** An update passed the gate; its bytes are stored. */
export interface UpdateAccepted {
  /** Discriminates the union. */
  readonly type: 'updateAccepted';
  /** When. */
  readonly at: number;
  /** Whose update. */
  readonly participant: Hex;
  /** What the participant stated. */
  readonly statement: UpdateStatement;
  /** The participant's signature over the statement. */
  readonly signature: Hex;
  /** The coordinator's signed answer. */
  readonly receipt: SignedReceipt;
}

/** A submission was late or rejected; nothing of it was kept. */
export interface UpdateRefused {
  /** Discriminates the union. */
  readonly type: 'updateRefused';
  /** When. */
  readonly at: number;
  /** Who submitted. */
  readonly participant: Hex;
  /** The coordinator's signed answer. */
  readonly receipt: SignedReceipt;
}

/** A participant said that it will not answer this round. */
export interface RoundDeclined {
  /** Discriminates the union. */
  readonly type: 'roundDeclined';
  /** When. */
  readonly at: number;
  /** Who declined. */
  readonly participant: Hex;
  /** Round. */
  readonly round: number;
  /** Attempt. */
  readonly attempt: number;
  /** Why, as a code. */
  readonly code: string;
  /** Why, as a sentence. */
  readonly message: string;
}

/** The round function was applied; model, aggregate and document are stored. */
export interface RoundAggregated {
  /** Discriminates the union. */
  readonly type: 'roundAggregated';
  /** When. */
  readonly at: number;
  /** The record to anchor. */
  readonly record: RoundRecordJson;
  /** Scores in participant order, decimal. */
  readonly scores: readonly string[];
  /** What each participant earned in this round, decimal, in participant order. */
  readonly earned: readonly string[];
  /** Time of the round function, in milliseconds. */
  readonly aggregationMs: number;
  /** From the end of collection to the next model being stored, in milliseconds. */
  readonly closeMs: number;
  /** Model coordinates cut to int32. */
  readonly saturated: number;
}

/** The record is on chain. */
export interface RoundAnchored {
  /** Discriminates the union. */
  readonly type: 'roundAnchored';
  /** When. */
  readonly at: number;
  /** Round. */
  readonly round: number;
  /** Attempt. */
  readonly attempt: number;
  /** Hash of the transaction. */
  readonly transactionHash: Hex;
  /** Block that holds it. */
  readonly blockNumber: number;
  /** Gas it used, decimal. */
  readonly gasUsed: string;
}

/** The chain has taken back anchored rounds: the job goes on from the last one before them. */
export interface RoundsRewound {
  /** Discriminates the union. */
  readonly type: 'roundsRewound';
  /** When the coordinator learned of it. */
  readonly at: number;
  /** Earliest round that is taken back. */
  readonly firstRound: number;
  /** Latest round that is taken back. */
  readonly lastRound: number;
  /** Lowest attempt that the next record may carry; it rises with every rewind, so it tells one from another. */
  readonly minAttempt: number;
  /** What the job had come to by the last round that stands. */
  readonly to: RoundResult;
}

/** A participant attests that it has recomputed the chain of records up to a head. */
export interface HeadAttested {
  /** Discriminates the union. */
  readonly type: 'headAttested';
  /** When. */
  readonly at: number;
  /** Who attests. */
  readonly participant: Hex;
  /** Round after which the chain has this head. */
  readonly round: number;
  /** The head, 26 bytes. */
  readonly head: Hex;
  /** The participant's signature over both. */
  readonly signature: Hex;
}

/** A participant evaluated a model on data it holds out. Advisory. */
export interface MetricsReported {
  /** Discriminates the union. */
  readonly type: 'metricsReported';
  /** When. */
  readonly at: number;
  /** Who reports. */
  readonly participant: Hex;
  /** Round whose model it is, 0 for the model before round 1. */
  readonly round: number;
  /** Root of the model. */
  readonly modelRoot: Hex;
  /** Examples predicted rightly. */
  readonly correct: number;
  /** Examples. */
  readonly total: number;
  /** Sum of losses. */
  readonly lossSum: number;
  /** Examples that the most frequent label predicts rightly. */
  readonly constantCorrect: number;
  /** What its work has used since its last report, where it says so. */
  readonly energy?: ReportedEnergy;
}

/** How many rounds are anchored after these events, by the log. */
export function anchoredRounds(events: readonly JobEvent[]): number {
  return events.reduce((rounds, event) => {
    if (event.type === 'roundAnchored') return event.round;
    return event.type === 'roundsRewound' ? Math.min(rounds, event.firstRound - 1) : rounds;
  }, 0);
}
