/** One thing that a check has found in a job's file. */
export interface Finding {
  /** An error keeps the job from being created or from working; a warning is worth a thought. */
  readonly severity: 'error' | 'warning';
  /** Stable identifier, `area/what`. */
  readonly code: FindingCode;
  /** The field, as a path such as `participation.quorum`. */
  readonly field: string;
  /** What is wrong, and the remedy. */
  readonly message: string;
}

/** What a check may find. */
export type FindingCode =
  | 'file/unreadable'
  | 'file/invalid'
  | 'model/unreadable'
  | 'model/too-large'
  | 'model/not-finite'
  | 'model/nearly-too-large'
  | 'model/other-tensors'
  | 'task/invalid'
  | 'bits/too-coarse'
  | 'bits/too-fine'
  | 'rule/invalid'
  | 'rule/out-of-bounds'
  | 'rule/no-faults'
  | 'rule/not-settled'
  | 'participation/quorum-above-expected'
  | 'participation/sample-above-expected'
  | 'participation/buffer-with-court'
  | 'participation/buffer-waits-for-all'
  | 'participation/list'
  | 'score/too-few'
  | 'budget/too-large'
  | 'budget/underfunded'
  | 'budget/dust'
  | 'budget/no-rewards'
  | 'court/invalid'
  | 'time/ends-too-early'
  | 'time/short-window'
  | 'time/short-retention';

/** Makes a finding that keeps the job from working. */
export function error(code: FindingCode, field: string, message: string): Finding {
  return { severity: 'error', code, field, message };
}

/** Makes a finding that is worth a thought. */
export function warning(code: FindingCode, field: string, message: string): Finding {
  return { severity: 'warning', code, field, message };
}
