import type { Hex } from '../../shared/bytes.ts';
import type { UpdateStatement } from '../../shared/commitments/contribution.ts';
import type { RoundPlan } from '../../shared/round/plan.ts';
import type { SampleDraw } from '../../shared/round/sampling.ts';
import type { SignedUpdate } from '../journal/submission-journal.ts';
import type { Evaluation } from '../trainers/trainer.ts';
import type { Learnt } from './state.ts';

/** What a state asks its surroundings to do; each but `cancel` and `reconnect` is answered by an event. */
export type SessionEffect =
  | { readonly name: 'cancel'; readonly ticket: number }
  | { readonly name: 'reconnect'; readonly refusals: number }
  | WorkEffect;

/** A piece of work, answered by one event with its ticket. */
export type WorkEffect =
  /** Handshake, the job's terms, joining: `joined`. */
  | { readonly name: 'openSession'; readonly ticket: number }
  /** Looks into the journal: `recalled`. */
  | { readonly name: 'recall'; readonly ticket: number; readonly plan: RoundPlan }
  /** Downloads and verifies a model; checks the plan that asks for it, if one does: `modelFetched`. */
  | { readonly name: 'fetchModel'; readonly ticket: number; readonly modelRoot: Hex; readonly plan: RoundPlan | null }
  /** Evaluates a model on held-out data: `modelEvaluated`. */
  | { readonly name: 'evaluate'; readonly ticket: number; readonly model: Int32Array }
  /** Reports held-out metrics: `metricsReported`. */
  | {
      readonly name: 'reportMetrics';
      readonly ticket: number;
      readonly round: number;
      readonly modelRoot: Hex;
      readonly evaluation: Evaluation;
    }
  /** Says that this client is there, although it has not answered a round that is over: `rejoined`. */
  | { readonly name: 'rejoin'; readonly ticket: number }
  /** Holds a draw to the seeds that the job committed to, and tells if it is another: `drawChecked`. */
  | { readonly name: 'checkDraw'; readonly ticket: number; readonly plan: RoundPlan; readonly draw: SampleDraw }
  /** Trains: `updateLearnt`. */
  | { readonly name: 'train'; readonly ticket: number; readonly plan: RoundPlan; readonly model: Int32Array }
  /** Checks the plan and encodes what was learnt for it: `updateEncoded`. */
  | { readonly name: 'encode'; readonly ticket: number; readonly plan: RoundPlan; readonly learnt: Learnt }
  /** Signs through the journal, which keeps what was signed first: `updateSigned`. */
  | {
      readonly name: 'sign';
      readonly ticket: number;
      readonly statement: UpdateStatement;
      readonly bytes: Uint8Array;
    }
  /** Announces the update: `updateOffered`. */
  | { readonly name: 'offer'; readonly ticket: number; readonly update: SignedUpdate }
  /** Uploads parts: `partsUploaded`. */
  | {
      readonly name: 'upload';
      readonly ticket: number;
      readonly update: SignedUpdate;
      readonly missing: readonly number[];
    }
  /** Submits the statement and keeps the receipt: `receiptReceived`. */
  | { readonly name: 'submit'; readonly ticket: number; readonly update: SignedUpdate }
  /** Fetches the receipts of what was signed and not answered, the open round's aside: `receiptsCollected`. */
  | { readonly name: 'collectReceipts'; readonly ticket: number; readonly open: RoundPlan | null }
  /** Says that the round will not be answered: `roundDeclined`. */
  | {
      readonly name: 'decline';
      readonly ticket: number;
      readonly plan: RoundPlan;
      readonly code: string;
      readonly message: string;
    }
  /** Waits, longer the more refusals there were: `pauseEnded`. */
  | { readonly name: 'pause'; readonly ticket: number; readonly refusals: number };
