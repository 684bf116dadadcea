import { FedanchorError } from '../../shared/errors.ts';

/** What keeps an update from being published with the privacy that was asked for. */
export type PrivacyErrorCode =
  | 'privacy/bad-option'
  | 'privacy/budget-spent'
  | 'privacy/ledger-damaged'
  | 'privacy/ledger-unavailable'
  | 'privacy/published-data'
  | 'privacy/scale-too-fine';

/** Thrown where an update cannot be made private; nothing of it is sent then. */
export class PrivacyError extends FedanchorError<PrivacyErrorCode> {}
