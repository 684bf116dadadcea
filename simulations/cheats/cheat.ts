import type { RoundFunction, RoundOutcome } from '../../shared/round/transition.ts';

/** What the round function is given. */
export type RoundInputs = Parameters<RoundFunction>;

/** A lie that a coordinator tells about one round. */
export interface Cheat {
  /** Its name on the command line. */
  readonly name: string;
  /** What it does, in a few words. */
  readonly summary: string;
  /** What a watcher must make of it: the kind of the dispute, or `withheld` where there is nothing to dispute. */
  readonly shownBy: 'coordinate' | 'gram' | 'weights' | 'reward' | 'omission' | 'withheld';
  /** Whether it can only be told of a rule that gives weights. */
  readonly needsWeights?: boolean;
  /** The round as the coordinator tells it. Everything that is not the lie is true, which is how a lie would be hidden. */
  readonly tell: (honest: RoundFunction, inputs: RoundInputs) => Promise<RoundOutcome>;
}
