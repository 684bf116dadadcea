import { OutboxError } from './outbox-error.ts';
import type { FailedRow } from './outbox-store.ts';

/** A failed row as the error that its sender gets. */
export function failure({ id, reason, detail, hashes, nonce }: FailedRow): OutboxError {
  const data = { id, nonce, transactionHash: hashes[0], detail };
  switch (reason) {
    case 'reverted':
      return new OutboxError('outbox/reverted', `transaction "${id}" was mined but failed: ${detail}`, data);
    case 'refused':
      return new OutboxError('outbox/refused', `the node did not take transaction "${id}": ${detail}`, data);
    case 'cancelled':
      return new OutboxError('outbox/cancelled', `transaction "${id}" was cancelled: ${detail}; send it again`, data);
    case 'replaced':
      return new OutboxError(
        'outbox/nonce-taken',
        `transaction "${id}" can no longer be mined, ${detail}: give this program a wallet of its own`,
        data,
      );
  }
}

/** What whoever waits gets when the outbox ends first. */
export function stopped(id: string): OutboxError {
  return new OutboxError('outbox/stopped', `the outbox was stopped before transaction "${id}" was confirmed`, { id });
}
