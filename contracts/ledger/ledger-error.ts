import { FedanchorError } from '../../shared/errors.ts';

/** What can go wrong between this program and a chain. */
export type LedgerErrorCode =
  | 'ledger/unreachable'
  | 'ledger/invalid-answer'
  | 'ledger/invalid-url'
  | 'ledger/refused'
  | 'ledger/reverted'
  | 'ledger/wrong-chain'
  | 'ledger/not-a-contract'
  | 'ledger/no-vault'
  | 'ledger/wrong-vault'
  | 'ledger/inconsistent'
  | 'ledger/too-few-tokens';

/** Thrown by everything that talks to a chain. */
export class LedgerError extends FedanchorError<LedgerErrorCode> {}

/** Whether an error is a {@link LedgerError} with this code. */
export function isLedgerError(error: unknown, code: LedgerErrorCode): error is LedgerError {
  return error instanceof LedgerError && error.code === code;
}
