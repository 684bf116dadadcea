import { FedanchorError } from '../../shared/errors.ts';

/** Thrown by the outbox. */
export class OutboxError extends FedanchorError<
  | 'outbox/id-reused'
  | 'outbox/reverted'
  | 'outbox/refused'
  | 'outbox/nonce-taken'
  | 'outbox/cancelled'
  | 'outbox/not-pending'
  | 'outbox/fee-ceiling'
  | 'outbox/empty-wallet'
  | 'outbox/stopped'
> {}
