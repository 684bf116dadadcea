import { auditVault, type VaultView } from './audit-vault.ts';
import type { AnchoredRound } from './chain-position.ts';
import { divergenceOf } from './divergence.ts';
import type { AuditReport, RoundVerdict } from './report.ts';
import { createRoundAuditor, type RoundAuditorOptions, verdictOf } from './round-auditor.ts';

/** What an audit is made of: facts and records come from the chain and are trusted, blobs are not. */
export interface AuditOptions extends RoundAuditorOptions {
  /** The job's records with the contract's heads, in order of rounds. */
  readonly records: readonly AnchoredRound[];
  /** The job's vault, if what it pays out is to be audited too. */
  readonly vault?: VaultView;
  /** Told of every round as soon as it is judged. */
  readonly onRound?: (verdict: RoundVerdict) => void;
}

/**
 * Audits a job: recomputes every round from the chain's records and the blobs behind them.
 *
 * A round holds if what was published of it is intact and it and everything before it, back to the manifest, recomputes.
 * After one that does not recompute, the audit goes on from the model, rewards and magnitudes that were published, if
 * they have the roots on the chain, so that it finds every further lie; but rounds built on it do not hold, and say so
 * as a divergence of `parent`. A round whose updates have gone, their retention being over, is held to all that does not
 * need them, and its verdict says that it was.
 *
 * @throws AuditError when the blobs cannot be asked for
 */
export async function audit(options: AuditOptions): Promise<AuditReport> {
  const { records, vault, onRound } = options;
  await using auditor = createRoundAuditor(options);
  const origin = await auditor.origin();
  const rounds: RoundVerdict[] = [];
  for (const anchored of records) {
    const { verdict } = await auditor.next(anchored);
    onRound?.(verdict);
    rounds.push(verdict);
  }
  const vaultVerdict = vault && verdictOf(await divergenceOf(() => auditVault(vault, records, rounds)));
  const holds = origin.holds && rounds.every((round) => round.holds) && (vaultVerdict?.holds ?? true);
  return { holds, origin, rounds, ...(vaultVerdict && { vault: vaultVerdict }) };
}
