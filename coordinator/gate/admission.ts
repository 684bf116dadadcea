import { recoverAddress, type Signer } from '../../contracts/wallet.ts';
import type { Hex } from '../../shared/bytes.ts';
import { type UpdateStatement, updateDigest } from '../../shared/commitments/contribution.ts';
import { type Receipt, receiptDigest, type SignedReceipt } from '../../shared/commitments/receipt.ts';
import type { SigningDomain } from '../../shared/commitments/typed-data.ts';
import type { JobTerms } from '../../shared/round/job-terms.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import { UploadError, type UploadStore } from '../blobs/upload-store.ts';
import type { JobState } from '../round/state.ts';
import { checkStatement } from './check-statement.ts';
import { checkUpdate } from './check-update.ts';
import type { Refusal } from './refusal.ts';

/** What the gate needs. */
export interface AdmissionOptions {
  /** The job's terms. */
  readonly terms: JobTerms;
  /** Where signatures of this job are valid. */
  readonly domain: SigningDomain;
  /** Signs receipts. */
  readonly signer: Signer;
  /** Where admitted updates go. */
  readonly blobs: BlobStore;
  /** Where they come from. */
  readonly uploads: UploadStore;
}

/** The admission gate: everything about a submission is checked before anything of it is kept. */
export interface Admission {
  /** Checks a submission; when it returns undefined, nothing is wrong and the update is durable. */
  inspect(state: JobState, participant: Hex, statement: UpdateStatement, signature: Hex): Promise<Refusal | undefined>;
  /** The signed answer. */
  sign(participant: Hex, statement: UpdateStatement, refusal: Refusal | undefined): SignedReceipt;
}

/** Creates the gate of one job. */
export function createAdmission({ terms, domain, signer, blobs, uploads }: AdmissionOptions): Admission {
  const assembled = async (participant: Hex, updateRoot: Hex): Promise<Uint8Array | undefined> => {
    try {
      return await uploads.assemble(participant, updateRoot);
    } catch (error) {
      if (error instanceof UploadError) return undefined;
      throw error;
    }
  };
  return {
    inspect: async (state, participant, statement, signature) => {
      const refusal = checkStatement(state, terms.job, participant, statement);
      if (refusal) return refusal;
      if (!isSignedBy(participant, updateDigest(domain, statement), signature)) {
        return { verdict: 'rejected', code: 'gate/bad-signature' };
      }
      const bytes = await assembled(participant, statement.updateRoot);
      if (bytes === undefined) return { verdict: 'rejected', code: 'gate/not-uploaded' };
      const code = checkUpdate(terms.layout, statement, bytes);
      if (code) return { verdict: 'rejected', code };
      await blobs.put(statement.updateRoot, bytes);
      return undefined;
    },
    sign: (participant, statement, refusal) => {
      const { job, round, attempt, updateRoot } = statement;
      const receipt: Receipt = {
        job,
        round,
        attempt,
        participant,
        updateRoot,
        verdict: refusal?.verdict ?? 'accepted',
        code: refusal?.code ?? '',
      };
      return { ...receipt, signature: signer.signDigest(receiptDigest(domain, receipt)) };
    },
  };
}

function isSignedBy(participant: Hex, digest: Uint8Array, signature: Hex): boolean {
  try {
    return recoverAddress(digest, signature) === participant;
  } catch {
    return false;
  }
}
