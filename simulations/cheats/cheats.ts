import type { AggregationEngine } from '../../shared/aggregation/engine.ts';
import { decodeDocument } from '../../shared/round/document.ts';
import { type RoundFunction, transition } from '../../shared/round/transition.ts';
import type { Cheat } from './cheat.ts';
import { dropFirst } from './drop-first.ts';
import { republish } from './republish.ts';

/** How far a wrong coordinate is off, in units of an aggregate: small enough for nobody to feel it in the model. */
const OFF_BY = 4096;

/** What a cheating coordinator can be asked to do. */
export const CHEATS: readonly Cheat[] = [
  {
    name: 'coordinate',
    summary: 'moves one coordinate of the aggregate, and the model with it',
    shownBy: 'coordinate',
    tell: (honest, [terms, parent, plan, updates, engine]) =>
      honest(terms, parent, plan, updates, withWrongCoordinate(engine)),
  },
  {
    name: 'gram',
    summary: 'writes a wrong inner product of two updates into the Gram matrix',
    shownBy: 'gram',
    tell: async (honest, [terms, parent, plan, updates, engine]) => {
      const { gram } = decodeDocument((await honest(terms, parent, plan, updates, engine)).document);
      // The aggregate's own row is made of what was lied about.
      const ofUpdates = gram.slice(0, -1).map((row) => row.slice(0, -1));
      const products = ofUpdates.map((row, i) => row.map((entry, j) => (i + j === 1 ? entry + 1n : entry)));
      return honest(terms, parent, plan, { ...updates, products }, engine);
    },
  },
  {
    name: 'weights',
    summary: 'chooses other updates than the rule does',
    shownBy: 'weights',
    needsWeights: true,
    tell: async (honest, inputs) => {
      const truth = await honest(...inputs);
      const { weights } = decodeDocument(truth.document);
      const others = (weights ?? []).map((_, row, all) => all[(row + 1) % all.length] as number);
      return republish(truth, { document: { weights: others } });
    },
  },
  {
    name: 'reward',
    summary: 'pays one participant a little of what another one has earned',
    shownBy: 'reward',
    tell: async (honest, inputs) => {
      const truth = await honest(...inputs);
      const [first, second, ...others] = truth.rewards;
      if (first === undefined || second === undefined) return truth;
      const moved = [
        { ...first, cumulative: first.cumulative + 1n },
        { ...second, cumulative: second.cumulative - 1n },
      ];
      return republish(truth, { document: { rewards: [...moved, ...others] } });
    },
  },
  {
    name: 'drop',
    summary: 'leaves out an update that it has given a receipt for',
    shownBy: 'omission',
    tell: async (honest, [terms, parent, plan, updates, engine]) => {
      const told = await honest(terms, parent, plan, dropFirst(updates), engine);
      // For the coordinator's own log, which knows that there were more.
      return { ...told, scores: [0n, ...told.scores], earned: [0n, ...told.earned] };
    },
  },
  {
    name: 'withhold',
    summary: 'lets nobody see one of the updates that it says it has aggregated',
    shownBy: 'withheld',
    tell: (honest, inputs) => honest(...inputs),
  },
];

/** The cheat of a name. */
export function cheatNamed(name: string): Cheat {
  const cheat = CHEATS.find((each) => each.name === name);
  if (cheat === undefined) throw new TypeError(`there is no cheat ${name}`);
  return cheat;
}

/** What is told, and to whom that matters. */
export interface LyingOptions {
  /** The round to lie about. */
  readonly round: number;
  /** Told before the lie is out which update the coordinator would rather not show. */
  readonly onLie?: (updateRoot: string) => void;
}

/**
 * A round function that lies about one round, the first time that this round comes to an outcome; what is played again after
 * it was taken back is honest. The same attempt computed again is the same lie.
 */
export function createLyingRoundFunction(cheat: Cheat, { round, onLie }: LyingOptions): RoundFunction {
  let toldIn: number | undefined;
  return (...inputs) => {
    const [, , plan, { contributions }] = inputs;
    if (plan.round === round) toldIn ??= plan.attempt;
    if (plan.round !== round || plan.attempt !== toldIn) return transition(...inputs);
    onLie?.(contributions[0]?.updateRoot ?? '');
    return cheat.tell(transition, inputs);
  };
}

/** An engine that brings one wrong coordinate; all that follows from it is computed truly. */
function withWrongCoordinate(engine: AggregationEngine): AggregationEngine {
  return {
    ...engine,
    pass: async (rows, request) => {
      const truth = await engine.pass(rows, request);
      if (truth.aggregate === null) return truth;
      const aggregate = Int32Array.from(truth.aggregate);
      aggregate[0] = (aggregate[0] as number) + ((aggregate[0] as number) > 0 ? -OFF_BY : OFF_BY);
      return { ...truth, aggregate, products: truth.products && (await engine.products(rows, aggregate)) };
    },
  };
}
