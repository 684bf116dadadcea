import type { Ledger } from '../../contracts/ledger/ledger.ts';
import type { Stakes } from '../../contracts/ledger/stakes.ts';
import type { EligibilityView } from './audit-contributions.ts';

/** Seconds of one tick of the anchor's clock. */
const TICK_S = 16;

/**
 * Asks the chain who could contribute. A round that its ring holds no more was final before its place was taken: nothing
 * is said against its participants.
 */
export function createEligibilityView(
  ledger: Pick<Ledger, 'finality' | 'facts'>,
  stakes: Pick<Stakes, 'isEligible'>,
): EligibilityView {
  return {
    isEligible: async (participant, round) => {
      const [{ anchored, finalAtS }, { windowTicks }] = [await ledger.finality(round), await ledger.facts()];
      return !anchored || (await stakes.isEligible(participant, finalAtS - (windowTicks + 1) * TICK_S));
    },
  };
}
