import { FedanchorError } from '../../shared/errors.ts';

/** Thrown by checks of a backend: it does not compute what it should, or not on this machine. */
export class CheckError extends FedanchorError<'check-gpu/failed'> {}
