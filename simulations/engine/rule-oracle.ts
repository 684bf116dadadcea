import { encodeFloats } from '../../shared/aggregation/encode-floats.ts';
import type { AggregationEngine, MemoryRows } from '../../shared/aggregation/engine.ts';
import type { RuleBook, RuleSpec } from '../../shared/aggregation/registry.ts';
import { toHex } from '../../shared/bytes.ts';
import { AGGREGATE_FRACTION_BITS } from '../../shared/fixed-point/constants.ts';
import { powerOfTwo } from '../../shared/fixed-point/power-of-two.ts';
import { createRng } from '../../shared/rng.ts';
import { aggregateRound } from '../../shared/round/aggregate-round.ts';

/** What the job's rule makes of some updates: what an attacker that knows the rule can try out. */
export type RuleOracle = (updates: readonly Float32Array[]) => Promise<Float32Array>;

/** What an oracle is to know. */
export interface OracleFacts {
  /** What computes. */
  readonly engine: AggregationEngine;
  /** Rule, pre-aggregators, f and parameters. */
  readonly rule: RuleSpec;
  /** What the rule's name stands for. */
  readonly book: RuleBook;
  /** Values of an update. */
  readonly parameters: number;
}

/** An oracle that serves one round after the other. */
export interface Oracle {
  /** The rule in a round. */
  during(round: number, updateBits: number): RuleOracle;
}

/**
 * The rule itself, by the engine of the round, on updates coded to the nearest in the round's units. Updates that are tried
 * again and again, as the honest ones are, are coded once a round. Every sender counts the same.
 *
 * @param seed - the run's: what is random in the rule is another draw than the round's own
 */
export function createOracle({ engine, rule, book, parameters }: OracleFacts, seed: number): Oracle {
  // Whole blocks, so that rows are as the round's are.
  let room: MemoryRows | null = null;
  return {
    during: (round, updateBits) => {
      const draw = createRng(seed, `simulation/oracle/${round}`);
      const bytes = Uint8Array.from({ length: 32 }, () => draw.below(256));
      const plan = { updateBits, seed: toHex(bytes) };
      const unit = powerOfTwo(-(updateBits + AGGREGATE_FRACTION_BITS));
      /** Which update each row holds. */
      const holds: (Float32Array | undefined)[] = [];
      return async (updates) => {
        if (room === null || room.rows.length < updates.length) {
          room = engine.allocate(updates.length, parameters);
          holds.length = 0;
        }
        const rows = room.rows.slice(0, updates.length);
        for (const [row, values] of updates.entries()) {
          if (holds[row] === values) continue;
          // One coding of a vector that several senders share.
          const same = updates.indexOf(values);
          if (same < row) (rows[row] as Int16Array).set(rows[same] as Int16Array);
          else encodeFloats(values, updateBits, rows[row] as Int16Array);
          holds[row] = values;
        }
        const facts = { spec: rule, n: updates.length, samples: updates.map(() => 1), plan, book };
        const { aggregate } = await aggregateRound(engine, { place: 'memory', rows }, facts, undefined, false);
        const values = new Float32Array(parameters);
        for (let at = 0; at < parameters; at++) values[at] = (aggregate[at] as number) * unit;
        return values;
      };
    },
  };
}
