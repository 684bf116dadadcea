import type { UpdateStatement } from '../../shared/commitments/contribution.ts';
import type { Receipt } from '../../shared/commitments/receipt.ts';
import type { JobStateMessage } from '../../shared/protocol/messages.ts';
import type { JournalEntry, SignedUpdate } from '../journal/submission-journal.ts';
import type { Evaluation, TrainingResult } from '../trainers/trainer.ts';

/**
 * How a piece of work failed: `final` will never go better, `refused` was the coordinator's answer and may go better,
 * `lost` had no answer.
 */
export type Severity = 'final' | 'refused' | 'lost';

/** What happens to a client. Events with a ticket answer the effect that carried it. */
export type SessionEvent =
  | { readonly name: 'connected' }
  | { readonly name: 'disconnected' }
  | { readonly name: 'jobStateReceived'; readonly job: JobStateMessage }
  | { readonly name: 'stopRequested' }
  | { readonly name: 'drainRequested' }
  | WorkEvent;

/** The end of a piece of work. */
export type WorkEvent =
  | {
      readonly name: 'joined';
      readonly ticket: number;
      readonly job: JobStateMessage;
      /** How many rounds old an update may be, in a job whose manifest has a `buffer`. */
      readonly maxStaleness?: number;
    }
  | { readonly name: 'recalled'; readonly ticket: number; readonly entry: JournalEntry | null }
  | { readonly name: 'modelFetched'; readonly ticket: number; readonly model: Int32Array }
  | { readonly name: 'modelEvaluated'; readonly ticket: number; readonly evaluation: Evaluation }
  | { readonly name: 'metricsReported'; readonly ticket: number }
  | { readonly name: 'updateLearnt'; readonly ticket: number; readonly result: TrainingResult }
  | {
      readonly name: 'updateEncoded';
      readonly ticket: number;
      readonly statement: UpdateStatement;
      readonly bytes: Uint8Array;
    }
  | { readonly name: 'updateSigned'; readonly ticket: number; readonly update: SignedUpdate }
  | { readonly name: 'rejoined'; readonly ticket: number }
  | { readonly name: 'drawChecked'; readonly ticket: number }
  | { readonly name: 'updateOffered'; readonly ticket: number; readonly missing: readonly number[] }
  | { readonly name: 'partsUploaded'; readonly ticket: number }
  | {
      readonly name: 'receiptReceived';
      readonly ticket: number;
      /** What the coordinator says of the update; null if what came is not its word. */
      readonly verdict: Receipt['verdict'] | null;
    }
  | { readonly name: 'receiptsCollected'; readonly ticket: number }
  | { readonly name: 'roundDeclined'; readonly ticket: number }
  | { readonly name: 'pauseEnded'; readonly ticket: number }
  | {
      readonly name: 'workFailed';
      readonly ticket: number;
      readonly code: string;
      readonly message: string;
      readonly severity: Severity;
    };
