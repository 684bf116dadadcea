/** Why a submission is refused: stable codes, part of the protocol. */
export type RefusalCode =
  | 'gate/late'
  | 'gate/wrong-job'
  | 'gate/wrong-round'
  | 'gate/wrong-parent'
  | 'gate/too-stale'
  | 'gate/duplicate'
  | 'gate/not-asked'
  | 'gate/banned'
  | 'gate/not-staked'
  | 'gate/no-samples'
  | 'gate/bad-signature'
  | 'gate/not-uploaded'
  | 'gate/root-mismatch'
  | 'gate/wrong-length'
  | 'gate/out-of-range'
  | 'gate/dirty-padding'
  | 'gate/wrong-magnitude';

/** A verdict other than accepted. */
export interface Refusal {
  /** Late costs nothing; rejected is the sender's fault. */
  readonly verdict: 'late' | 'rejected';
  /** Why. */
  readonly code: RefusalCode;
}
