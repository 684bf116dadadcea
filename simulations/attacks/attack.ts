import type { Trainer } from '../../client/trainers/trainer.ts';

/**
 * An attack a client can mount alone, from its own data: it trains honestly and sends something else. Attacks that know
 * what the others send are a matter of simulations, where someone can know it.
 */
export interface Attack {
  /** Name, as on the command line. */
  readonly name: string;
  /** One line for people. */
  readonly summary: string;
  /** Strength when none is asked for. */
  readonly defaultStrength: number;
  /** Turns an honest trainer into the attacker's. */
  mount(honest: Trainer, strength: number): Trainer;
}
