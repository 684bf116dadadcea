import { FedanchorError } from '../errors.ts';

/** Thrown when a part of an update is not in the wire format that its job agreed on, or cannot be put into it. */
export class WireError extends FedanchorError<'wire/malformed' | 'wire/not-representable'> {}

/** A part that is not in its format. */
export function malformed(what: string, data: Readonly<Record<string, unknown>> = {}): WireError {
  return new WireError('wire/malformed', `the part is not in the job's wire format: ${what}`, data);
}
