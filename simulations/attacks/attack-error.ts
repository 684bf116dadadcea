import { FedanchorError } from '../../shared/errors.ts';

/** Thrown when an attack does not exist, cannot be had so, or makes of a round what cannot be sent. */
export class AttackError extends FedanchorError<
  | 'attack/unknown'
  | 'attack/unknown-parameter'
  | 'attack/bad-parameter'
  | 'attack/bad-file'
  | 'attack/not-alone'
  | 'attack/bad-forgery'
> {}
