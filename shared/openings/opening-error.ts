import { FedanchorError } from '../errors.ts';

/** Thrown when what a dispute asks for cannot be built. */
export class OpeningError extends FedanchorError<'opening/no-data' | 'opening/no-parent' | 'opening/out-of-range'> {}

/** The refusal of an answer whose data is not to be had. */
export function noData(what: string): OpeningError {
  const sentence = `the round's ${what} cannot be read: restore it from a backup, or the dispute is lost`;
  return new OpeningError('opening/no-data', sentence, { what });
}
