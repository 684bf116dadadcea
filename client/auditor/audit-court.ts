import { DeployError } from '../../contracts/deploy/deploy-error.ts';
import { verifyCourt } from '../../contracts/deploy/verify-court.ts';
import type { JobFacts } from '../../contracts/ledger/facts.ts';
import type { Ledger } from '../../contracts/ledger/ledger.ts';
import { decodeManifest } from '../../shared/round/manifest.ts';
import type { BlobSource } from './blob-source.ts';
import type { Verdict } from './report.ts';

/** Longest manifest there can be. */
const MOST_MANIFEST_BYTES = 16 * 2 ** 20;

/**
 * Holds the contracts of a job's court to this product's code and, where its manifest is at hand, to the manifest's terms.
 *
 * @param blobs - where the manifest is, which was audited; undefined where it does not hold
 * @throws LedgerError, AuditError when it cannot be told
 */
export async function auditCourt(
  { rpc }: Pick<Ledger, 'rpc'>,
  { anchor, roster, arbiter, manifestHash }: Pick<JobFacts, 'anchor' | 'roster' | 'arbiter' | 'manifestHash'>,
  blobs: BlobSource | undefined,
): Promise<Verdict> {
  const manifest = blobs && decodeManifest(await blobs.get(manifestHash, MOST_MANIFEST_BYTES));
  try {
    await verifyCourt(rpc, { anchor, stakes: roster, disputes: arbiter }, manifest?.court);
    return { holds: true };
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    const divergence = {
      what: 'court',
      expected: "this version's code and the manifest's terms",
      found: error.message,
    };
    return { holds: false, divergence };
  }
}
