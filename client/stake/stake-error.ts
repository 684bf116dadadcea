import { FedanchorError } from '../../shared/errors.ts';

/** Thrown when a stake or bond cannot be moved as asked. */
export class StakeError extends FedanchorError<
  | 'stake/no-court'
  | 'stake/too-little'
  | 'stake/leaving'
  | 'stake/nothing-there'
  | 'stake/still-bound'
  | 'stake/in-office'
> {}
