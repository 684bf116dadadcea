import type { Hex } from '../../shared/bytes.ts';
import type { Layout } from '../../shared/fixed-point/layout.ts';
import type { Saturated } from '../../shared/fixed-point/model.ts';
import type { Rng } from '../../shared/rng.ts';
import { epsilonOf, rhoWithin } from './accountant.ts';
import { PrivacyError } from './privacy-error.ts';
import type { PrivacyLedger } from './privacy-ledger.ts';
import type { PrivacyOptions } from './privacy-options.ts';
import { checkScale, encodePrivateUpdate, planNoise } from './private-update.ts';
import { secureIntegers, type UniformIntegers } from './uniform-integers.ts';

/** The round that an update is for. */
export interface PrivateRound {
  /** The job. */
  readonly job: Hex;
  /** Round number, from 1. */
  readonly round: number;
  /** The job's attempt number. */
  readonly attempt: number;
  /** The round's scale. */
  readonly updateBits: number;
}

/** What has been spent of a budget. */
export interface PrivacySpent {
  /** Rho of all updates so far. */
  readonly rho: number;
  /** The epsilon that this is, at `delta`. */
  readonly epsilon: number;
  /** The delta of budget and statement. */
  readonly delta: number;
  /** The budget's epsilon. */
  readonly budget: number;
  /** Updates that the budget still pays for. */
  readonly updatesLeft: number;
}

/** Stands between what a client learnt and what it publishes. */
export interface PrivacyGuard {
  /**
   * Refuses a round before anything is trained for it.
   *
   * @throws PrivacyError `privacy/budget-spent`, `privacy/scale-too-fine`, `privacy/ledger-damaged`,
   * `privacy/ledger-unavailable`
   */
  admit(round: PrivateRound): Promise<void>;
  /**
   * Makes the update that may be published, and has paid for it when it resolves. Each call pays: an attempt that is made
   * again publishes other noise over the same data.
   *
   * @param layout - the job's layout
   * @param update - what was learnt: one array per tensor, in manifest order
   * @param round - what it is for
   * @param rounding - the source of the rounding after the noise
   * @throws PrivacyError as {@link PrivacyGuard.admit}; LayoutError
   */
  encode(
    layout: Layout,
    update: readonly Float32Array[],
    round: PrivateRound,
    rounding: Rng,
  ): Promise<Saturated<Int16Array>>;
  /** What was spent so far. Throws PrivacyError `privacy/ledger-damaged`, `privacy/ledger-unavailable`. */
  spent(): Promise<PrivacySpent>;
}

/** What a guard is made of. */
export interface PrivacyGuardOptions {
  /** Clip, noise and budget. */
  readonly privacy: PrivacyOptions;
  /** Where expenses are kept. */
  readonly ledger: PrivacyLedger;
  /** The source of the noise; default the machine's cryptographic generator. */
  readonly random?: UniformIntegers;
  /** Told after each expense. */
  readonly onSpent?: (spent: PrivacySpent, round: PrivateRound) => void;
}

/**
 * Creates a guard that gives a client's updates local differential privacy within a budget, and none beyond it.
 *
 * @param options - what was asked for, and where it is accounted
 */
export function createPrivacyGuard({ privacy, ledger, onSpent, ...rest }: PrivacyGuardOptions): PrivacyGuard {
  const random = rest.random ?? secureIntegers();
  const plan = planNoise(privacy);
  const most = rhoWithin(privacy.epsilon, privacy.delta);

  const describe = (rho: number): PrivacySpent => ({
    rho,
    epsilon: epsilonOf(rho, privacy.delta),
    delta: privacy.delta,
    budget: privacy.epsilon,
    updatesLeft: Math.max(0, Math.floor((most - rho) / plan.rho)),
  });

  const exhausted = (rho: number): PrivacyError => {
    const { epsilon, delta, budget } = describe(rho);
    const next = epsilonOf(rho + plan.rho, delta);
    return new PrivacyError(
      'privacy/budget-spent',
      `the privacy budget is used up: epsilon is ${told(epsilon)} at delta ${delta}, another update would make it ${told(next)}, more than the ${budget} allowed; no more rounds are answered with this data`,
      { epsilon, next, delta, budget },
    );
  };

  return {
    admit: async ({ updateBits }) => {
      checkScale(plan, updateBits);
      const rho = await ledger.spent();
      if (rho + plan.rho > most) throw exhausted(rho);
    },
    encode: async (layout, update, round, rounding) => {
      const { job, attempt, updateBits } = round;
      checkScale(plan, updateBits);
      const total = await ledger.spend({ job, round: round.round, attempt, rho: plan.rho }, most);
      if (total === undefined) throw exhausted(await ledger.spent());
      onSpent?.(describe(total), round);
      return encodePrivateUpdate(layout, update, updateBits, plan, random, rounding);
    },
    spent: async () => describe(await ledger.spent()),
  };
}

function told(epsilon: number): string {
  return epsilon.toPrecision(4);
}
