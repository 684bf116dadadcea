import type { Hex } from '../../shared/bytes.ts';
import { FedanchorError } from '../../shared/errors.ts';

/** Thrown when what goes into the next round cannot be kept. */
export class CarryError extends FedanchorError<'carry/unavailable'> {}

/**
 * What a client carries from round to round: the momentum of its gradients, and the residual, what its updates so far did
 * not carry.
 */
export type CarriedName = 'momentum' | 'residual';

/** What was found of the rounds before one. */
export type Carried =
  | { readonly at: 'found'; readonly round: number; readonly values: Float32Array }
  /** The client starts anew, for this reason. */
  | { readonly at: 'none'; readonly reason: string };

/**
 * What a client carries from round to round, by the round that left it. Another attempt at a round starts from what the
 * first one started from; a round that the chain has taken back starts, when it is done again, from what stood before it,
 * as long as that is kept.
 */
export interface Carry {
  /**
   * What the latest round before this one left.
   *
   * @param round - the round that is trained now
   * @throws CarryError `carry/unavailable`
   */
  before(job: Hex, round: number, name: CarriedName): Promise<Carried>;
  /**
   * Keeps what a round leaves, in place of what another attempt at it left; what later rounds left is dropped, for they
   * were taken back. Durable when it settles.
   *
   * @param round - the round that was trained
   * @param values - one number a parameter
   * @throws CarryError `carry/unavailable`
   */
  keep(job: Hex, round: number, name: CarriedName, values: Float32Array): Promise<void>;
}

/** Rounds of which it is kept what they left: this one, what it started from, and one more that may be taken back. */
export const KEPT_ROUNDS = 3;
