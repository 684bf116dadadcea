import type { Hex } from '../../shared/bytes.ts';
import type { Layout } from '../../shared/fixed-point/layout.ts';
import { powerOfTwo } from '../../shared/fixed-point/power-of-two.ts';
import type { Log } from '../log.ts';
import type { CarriedName, Carry } from './carry.ts';
import { flatten, weightedSum } from './tensors.ts';

/** What is carried over in one round of one job. */
export interface CarryOverOptions {
  /** Where it is kept. */
  readonly carry: Carry;
  /** The job. */
  readonly job: Hex;
  /** The round that is trained. */
  readonly round: number;
  /** Its layout. */
  readonly layout: Layout;
  /** Where it is told that something starts anew. */
  readonly log: Log;
}

/** What earlier rounds add to an update, and what it leaves to later ones. */
export interface CarryOver {
  /**
   * Worker momentum: `m = beta m' + (1 - beta) u`, with the momentum m' of the round before; where there is none, `m = u`
   * (Karimireddy, He and Jaggi, "Learning from history for Byzantine robust optimization", ICML 2021, whose first step is
   * weighed 1). Kept for the round after.
   *
   * @param update - u: what was learnt in this round, one array per tensor
   * @param beta - 0 <= beta < 1
   * @returns m, which is sent in its place
   * @throws CarryError
   */
  addMomentum(update: readonly Float32Array[], beta: number): Promise<readonly Float32Array[]>;
  /**
   * Error feedback: adds what earlier updates should have carried and did not (Seide et al., "1-bit stochastic gradient
   * descent", Interspeech 2014; Karimireddy et al., "Error feedback fixes SignSGD", ICML 2019).
   *
   * @throws CarryError
   */
  addResidual(update: readonly Float32Array[]): Promise<readonly Float32Array[]>;
  /**
   * Keeps what an update should have carried and does not.
   *
   * @param intended - what `addResidual` gave
   * @param vector - what is sent
   * @param updateBits - its scale
   * @throws CarryError
   */
  keepResidual(intended: readonly Float32Array[], vector: Int16Array, updateBits: number): Promise<void>;
}

/** Opens what is carried into and out of one round. */
export function openCarryOver({ carry, job, round, layout, log }: CarryOverOptions): CarryOver {
  const before = async (name: CarriedName): Promise<Float32Array | undefined> => {
    const carried = await carry.before(job, round, name);
    if (carried.at === 'found' && carried.values.length === layout.parameters) return carried.values;
    const reason = carried.at === 'none' ? carried.reason : `what round ${carried.round} left has another length`;
    log.info({ round, reason }, `the ${name} starts anew`);
    return undefined;
  };

  return {
    addMomentum: async (update, beta) => {
      const momentum = await before('momentum');
      const sent = momentum ? weightedSum(1 - beta, update, beta, momentum) : update;
      await carry.keep(job, round, 'momentum', flatten(sent));
      return sent;
    },
    addResidual: async (update) => {
      const residual = await before('residual');
      return residual ? weightedSum(1, update, 1, residual) : update;
    },
    keepResidual: async (intended, vector, updateBits) => {
      const missed = flatten(intended);
      let start = 0;
      for (const { offset, size, preScaleBits } of layout.slots) {
        const unit = powerOfTwo(updateBits + preScaleBits);
        for (let at = 0; at < size; at++) {
          missed[start + at] = (missed[start + at] as number) - (vector[offset + at] as number) / unit;
        }
        start += size;
      }
      await carry.keep(job, round, 'residual', missed);
    },
  };
}
