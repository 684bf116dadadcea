import { readFile } from 'node:fs/promises';
import { connectLedger, type Ledger } from '../../contracts/ledger/ledger.ts';
import { recoverAddress } from '../../contracts/wallet.ts';
import type { AggregationEngine } from '../../shared/aggregation/engine.ts';
import { createScalarEngine } from '../../shared/aggregation/scalar-engine.ts';
import type { Hex } from '../../shared/bytes.ts';
import { audit } from './audit.ts';
import { auditCourt } from './audit-court.ts';
import { AuditError } from './audit-error.ts';
import type { VaultView } from './audit-vault.ts';
import type { BlobSource } from './blob-source.ts';
import { createFolderBlobSource } from './folder-blob-source.ts';
import { createHttpBlobSource } from './http-blob-source.ts';
import { requireFolder, reviveRun } from './kept-run.ts';
import type { AuditReport, RoundVerdict, Verdict } from './report.ts';
import { createRetentionView } from './retention.ts';

/** What to verify: a live job, or a run that was kept. */
export interface VerifyOptions {
  /** Node of the chain. */
  readonly rpc?: string;
  /** Address of the job's RoundAnchor. */
  readonly job?: Hex;
  /** Address of the coordinator's bulk plane, or a folder of blobs. */
  readonly blobs?: string;
  /** Address of the job's RewardVault. */
  readonly vault?: Hex;
  /** File with a session's token. */
  readonly tokenFile?: string;
  /** Folder of a kept run. */
  readonly run?: string;
}

/** A report and the job it is on. */
export interface VerifyReport extends AuditReport {
  /** EIP-155 chain id, in decimal. */
  readonly chainId: string;
  /** The job's RoundAnchor. */
  readonly anchor: Hex;
  /** The job. */
  readonly job: Hex;
  /** Whether stakes and disputes are kept by this product's code on the manifest's terms, in a job with a court. */
  readonly court?: Verdict;
}

/**
 * Audits a live job or a kept run.
 *
 * @param onRound - told of every round as soon as it is judged
 * @param engine - recomputes aggregations; the scalar reference unless given
 * @throws AuditError, LedgerError, EmbeddedChainError when the audit cannot be done
 */
export async function verify(
  options: VerifyOptions,
  onRound: (verdict: RoundVerdict) => void,
  engine: AggregationEngine = createScalarEngine(),
): Promise<VerifyReport> {
  const { rpc, job, blobs, vault, run, tokenFile } = options;
  if (run !== undefined) {
    if (rpc ?? job ?? blobs ?? vault ?? tokenFile) {
      throw badOption('--run audits a kept run by itself: leave out --rpc, --job, --blobs, --vault and --token-file');
    }
    return verifyRun(run, onRound, engine);
  }
  if (rpc === undefined || job === undefined || blobs === undefined) {
    throw badOption(
      'say what to verify: either --run FOLDER, or all of --rpc URL, --job ADDRESS and --blobs URL|FOLDER',
    );
  }
  const openSource = await findBlobs(blobs, tokenFile);
  const ledger = await connectLedger({ rpcUrl: rpc, anchor: job, ...(vault && { vault }) });
  return auditLedger(ledger, vault !== undefined, openSource((await ledger.facts()).job), onRound, engine);
}

async function verifyRun(
  folder: string,
  onRound: (verdict: RoundVerdict) => void,
  engine: AggregationEngine,
): Promise<VerifyReport> {
  await using revived = await reviveRun(folder);
  const { anchor, vault } = revived.run.contracts;
  const chainId = BigInt(revived.run.chainId);
  const ledger = await connectLedger({ rpcUrl: revived.rpcUrl, anchor, vault, chainId });
  const report = await auditLedger(ledger, true, createFolderBlobSource(revived.blobsFolder), onRound, engine);
  if (report.job === revived.run.job) return report;
  throw new AuditError(
    'audit/run-unreadable',
    `${folder}/run.json speaks of the job ${revived.run.job}, the chain of ${report.job}: the run is damaged`,
    { folder, expected: report.job, found: revived.run.job },
  );
}

async function auditLedger(
  ledger: Ledger,
  hasVault: boolean,
  blobs: BlobSource,
  onRound: (verdict: RoundVerdict) => void,
  engine: AggregationEngine,
): Promise<VerifyReport> {
  // The vault comes first: what it has activated is anchored by then, also where rounds go on meanwhile.
  const vault: VaultView | undefined = hasVault
    ? { ...(await ledger.vaultFacts()), isFinal: (record) => ledger.isFinal(record) }
    : undefined;
  const [facts, records] = [await ledger.facts(), await ledger.records()];
  const retention = createRetentionView(ledger);
  const options = { facts, records, blobs, recover: recoverAddress, retention, onRound, engine };
  const report = await audit({ ...options, ...(vault && { vault }) });
  const about = { chainId: String(facts.chainId), anchor: facts.anchor, job: facts.job };
  if (/^0x0*$/.test(facts.roster)) return { ...about, ...report };
  // Terms that are not the chain's say nothing about its contracts.
  const court = await auditCourt(ledger, facts, report.origin.holds ? blobs : undefined);
  return { ...about, ...report, holds: report.holds && court.holds, court };
}

/** Checks where the blobs are said to be, before anything else is asked for; the job is known only later. */
async function findBlobs(place: string, tokenFile: string | undefined): Promise<(job: Hex) => BlobSource> {
  if (!/^https?:\/\//i.test(place)) {
    if (tokenFile !== undefined) throw badOption('--token-file goes with --blobs URL: a folder asks for no token');
    await requireFolder(place);
    return () => createFolderBlobSource(place);
  }
  const url = place.replace(/\/+$/, '');
  const token = tokenFile === undefined ? undefined : await readToken(tokenFile);
  return (job) => createHttpBlobSource({ url, job, ...(token !== undefined && { token }) });
}

async function readToken(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    throw badOption(`the token file ${file} cannot be read: check --token-file`, cause);
  }
}

function badOption(sentence: string, cause?: unknown): AuditError {
  return new AuditError('audit/bad-option', sentence, {}, cause);
}
