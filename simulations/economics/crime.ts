/** What attackers did and earned, means over runs. */
export interface CrimeFacts {
  /** Attackers. */
  readonly attackers: number;
  /** Rounds. */
  readonly rounds: number;
  /** Tokens that an attacker earned in a round. */
  readonly earnedByzantine: number;
  /** Tokens that an honest client beside them earned in a round. */
  readonly earnedHonest: number;
  /** Accuracy at the end under the attack, 0 to 1. */
  readonly accuracy: number;
  /** Accuracy at the end with the same rule and nobody attacking, 0 to 1; null where that was not run. */
  readonly calmAccuracy: number | null;
}

/** Whether an attack paid, and what it bought. */
export interface CrimeVerdict {
  /** Tokens by which all attackers together earned less over the run than as many honest clients; negative: more. */
  readonly forgone: number;
  /** Percentage points of accuracy that the attack took; negative where it gave some; null without a run in peace. */
  readonly damage: number | null;
  /** Tokens forgone for each point of damage; null where there was none, or nothing was forgone. */
  readonly pricePerPoint: number | null;
}

/**
 * Sets what attackers earned against what they broke. They lose no stake, and what they give up is the pay of an honest
 * client: that is the whole price of an attack within the protocol.
 */
export function verdictOf(facts: CrimeFacts): CrimeVerdict {
  const forgone = (facts.earnedHonest - facts.earnedByzantine) * facts.rounds * facts.attackers;
  const damage = facts.calmAccuracy === null ? null : 100 * (facts.calmAccuracy - facts.accuracy);
  const isPriced = damage !== null && damage > 0 && forgone > 0;
  return { forgone, damage, pricePerPoint: isPriced ? forgone / damage : null };
}
