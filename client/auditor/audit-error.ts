import { FedanchorError } from '../../shared/errors.ts';

/** What keeps an audit from being done at all. */
export type AuditErrorCode =
  | 'audit/blob-missing'
  | 'audit/blob-too-large'
  | 'audit/blobs-refused'
  | 'audit/blobs-unreachable'
  | 'audit/bad-option'
  | 'audit/run-unreadable';

/**
 * Thrown when an audit cannot be done. What it is done upon and does not hold is no error but a divergence in its report.
 */
export class AuditError extends FedanchorError<AuditErrorCode> {}
