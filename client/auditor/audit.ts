import type { AggregationEngine } from '../../shared/aggregation/engine.ts';
import { createScalarEngine } from '../../shared/aggregation/scalar-engine.ts';
import type { JobTerms } from '../../shared/round/job-terms.ts';
import type { ContributionContext, Recover } from './audit-contributions.ts';
import { type AuditFacts, auditManifest } from './audit-origin.ts';
import { auditRound, type RoundFinding } from './audit-round.ts';
import { auditVault, type VaultView } from './audit-vault.ts';
import type { BlobSource } from './blob-source.ts';
import { type AnchoredRound, type ChainPosition, genesisPosition, positionAfter } from './chain-position.ts';
import { type Divergence, divergenceOf } from './divergence.ts';
import type { AuditReport, RoundVerdict, Verdict } from './report.ts';
import type { RetentionView } from './retention.ts';
import { genesisStart, type RoundStart, recoverStart } from './round-start.ts';

/** What an audit is made of: facts and records come from the chain and are trusted, blobs are not. */
export interface AuditOptions {
  /** What the chain says the job is. */
  readonly facts: AuditFacts;
  /** The job's records with the contract's heads, in order of rounds. */
  readonly records: readonly AnchoredRound[];
  /** Where the data behind the roots is read. */
  readonly blobs: BlobSource;
  /** Recovers signers. */
  readonly recover: Recover;
  /** The job's vault, if what it pays out is to be audited too. */
  readonly vault?: VaultView;
  /** Tells whether updates may have gone, their retention being over; without it, none may. */
  readonly retention?: RetentionView;
  /** Recomputes aggregations; the scalar reference unless given. */
  readonly engine?: AggregationEngine;
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
  const { facts, records, blobs, vault } = options;
  let terms: JobTerms | undefined;
  let start: RoundStart | undefined;
  const originDivergence = await divergenceOf(async () => {
    terms = await auditManifest(facts, blobs);
    start = await genesisStart(terms, blobs);
  });
  const origin = verdictOf(originDivergence);
  const rounds = terms
    ? await auditRounds(options, terms, start)
    : records.map((anchored) => judge(options, anchored, brokenParent('the manifest')));
  const vaultVerdict = vault && verdictOf(await divergenceOf(() => auditVault(vault, records, rounds)));
  const holds = origin.holds && rounds.every((round) => round.holds) && (vaultVerdict?.holds ?? true);
  return { holds, origin, rounds, ...(vaultVerdict && { vault: vaultVerdict }) };
}

async function auditRounds(
  options: AuditOptions,
  terms: JobTerms,
  genesis: RoundStart | undefined,
): Promise<RoundVerdict[]> {
  const { facts, blobs, recover, retention, engine = createScalarEngine() } = options;
  const context: ContributionContext = { facts, terms, blobs, recover, engine, ...(retention && { retention }) };
  let position: ChainPosition = genesisPosition(facts, terms);
  let start = genesis;
  // The latest ancestor that did not recompute, in words.
  let broken = genesis ? undefined : 'the genesis model';
  const verdicts: RoundVerdict[] = [];
  for (const anchored of options.records) {
    const finding: RoundFinding = start
      ? await auditRound(context, position, start, anchored)
      : { divergence: brokenParent(`${broken}, whose state cannot be recovered,`) };
    const inherited = broken === undefined ? undefined : brokenParent(broken);
    verdicts.push(judge(options, anchored, finding.divergence ?? inherited, finding.rootsOnly));
    // Where only what was published of a round is damaged, its state is known all the same: the next one stands on it.
    if (!finding.next) broken = `round ${anchored.record.round}`;
    start = finding.next ?? (await recoverStart(terms, blobs, anchored.record));
    position = positionAfter(position, anchored);
  }
  return verdicts;
}

function judge(
  options: AuditOptions,
  { record }: AnchoredRound,
  divergence: Divergence | undefined,
  rootsOnly?: true,
): RoundVerdict {
  const { round, attempt, modelRoot } = record;
  const verdict = { round, attempt, modelRoot, ...verdictOf(divergence), ...(rootsOnly && { rootsOnly }) };
  options.onRound?.(verdict);
  return verdict;
}

function verdictOf(divergence: Divergence | undefined): Verdict {
  return divergence ? { holds: false, divergence } : { holds: true };
}

function brokenParent(what: string): Divergence {
  return { what: 'parent', expected: 'ancestors that hold', found: `${what} does not hold` };
}
