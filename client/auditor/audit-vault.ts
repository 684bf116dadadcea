import { type Hex, ZERO_HASH } from '../../shared/bytes.ts';
import type { RoundRecord } from '../../shared/commitments/record.ts';
import type { AnchoredRound } from './chain-position.ts';
import { must, mustEqual } from './divergence.ts';
import type { RoundVerdict } from './report.ts';

/** What the chain says of a job's vault. */
export interface VaultView {
  /** Latest activated round, 0 if none. */
  readonly activatedRound: number;
  /** Rewards root of that round. */
  readonly rewardsRoot: Hex;
  /** Everything that may be claimed so far, in the token's smallest unit. */
  readonly activated: bigint;
  /** Whether exactly this record is anchored and its challenge window has passed. */
  isFinal(record: RoundRecord): Promise<boolean>;
}

/**
 * Holds what a vault pays out to a round that is anchored, final, and holds.
 *
 * @throws DivergenceFound
 */
export async function auditVault(
  vault: VaultView,
  records: readonly AnchoredRound[],
  rounds: readonly RoundVerdict[],
): Promise<void> {
  const { activatedRound, rewardsRoot, activated } = vault;
  if (activatedRound === 0) {
    mustEqual('activated rewardsRoot', ZERO_HASH, rewardsRoot);
    mustEqual('activated total', 0n, activated);
    return;
  }
  const record = records.find((anchored) => anchored.record.round === activatedRound)?.record;
  must(record !== undefined, 'activated round', 'an anchored round', String(activatedRound));
  if (record === undefined) return;
  mustEqual('activated rewardsRoot', record.rewardsRoot, rewardsRoot);
  mustEqual('activated total', record.rewardsTotal, activated);
  must(await vault.isFinal(record), 'activated round', 'a final round', `round ${activatedRound} in its window`);
  const holds = rounds.some((verdict) => verdict.round === activatedRound && verdict.holds);
  must(holds, 'activated round', 'a round that holds', `round ${activatedRound}, which does not`);
}
