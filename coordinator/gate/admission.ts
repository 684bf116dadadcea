import { recoverAddress, type Signer } from '../../contracts/wallet.ts';
import type { Hex } from '../../shared/bytes.ts';
import { type UpdateStatement, updateDigest } from '../../shared/commitments/contribution.ts';
import { type Receipt, receiptDigest, type SignedReceipt } from '../../shared/commitments/receipt.ts';
import type { SigningDomain } from '../../shared/commitments/typed-data.ts';
import type { JobTerms } from '../../shared/round/job-terms.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import { UploadError, type UploadStore } from '../blobs/upload-store.ts';
import type { Eligibility } from '../court/eligibility.ts';
import type { JobState } from '../round/state.ts';
import { checkStatement } from './check-statement.ts';
import { checkUpdate } from './check-update.ts';
import type { Refusal, RefusalCode } from './refusal.ts';

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
  /** Who may take part by stake, where the job has a court. */
  readonly eligibility?: Eligibility;
}

/** What came of looking at a submission: why it is refused, or the bytes that were found to be what it states. */
export type Inspection =
  | { readonly refusal: Refusal; readonly bytes?: undefined }
  | { readonly refusal?: undefined; readonly bytes: Uint8Array };

/** What becomes of a submission: its signed answer, and, for one that is accepted, the way to store its update. */
export type Verdict = { readonly receipt: SignedReceipt } & (
  | { readonly refusal: Refusal }
  | { readonly refusal?: undefined; readonly keep: () => Promise<void> }
);

/** The admission gate: everything about a submission is checked before anything of it is kept. */
export interface Admission {
  /** Checks all that takes long, while the job may go on: signature and bytes. Keeps nothing. */
  inspect(state: JobState, participant: Hex, statement: UpdateStatement, signature: Hex): Promise<Inspection>;
  /**
   * The verdict on an inspected submission by where the job stands now. One that is accepted becomes so by its update
   * being stored and the event logged, in this order, with nothing in between that could change the verdict.
   */
  decide(state: JobState, participant: Hex, statement: UpdateStatement, inspection: Inspection): Verdict;
}

/** Creates the gate of one job. */
export function createAdmission(options: AdmissionOptions): Admission {
  const { terms, domain, signer, blobs, uploads, eligibility } = options;
  const assembled = async (participant: Hex, updateRoot: Hex): Promise<Uint8Array | undefined> => {
    try {
      return await uploads.assemble(participant, updateRoot);
    } catch (error) {
      if (error instanceof UploadError) return undefined;
      throw error;
    }
  };
  const sign = (participant: Hex, statement: UpdateStatement, refusal: Refusal | undefined): SignedReceipt => {
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
  };
  return {
    inspect: async (state, participant, statement, signature) => {
      const refusal = checkStatement(state, terms.job, participant, statement);
      if (refusal) return { refusal };
      if (!isSignedBy(participant, updateDigest(domain, statement), signature)) return rejected('gate/bad-signature');
      // Whoever could be asked to answer for a contribution that should not have been taken is this coordinator.
      if (eligibility && !(await eligibility.isStaked(participant))) return rejected('gate/not-staked');
      const bytes = await assembled(participant, statement.updateRoot);
      if (bytes === undefined) return rejected('gate/not-uploaded');
      const code = checkUpdate(terms.layout, statement, bytes);
      return code ? rejected(code) : { bytes };
    },
    decide: (state, participant, statement, inspection) => {
      // Where the job stands comes first: what was wrong with the bytes of a round that is over is nobody's fault.
      const refusal = checkStatement(state, terms.job, participant, statement) ?? inspection.refusal;
      const receipt = sign(participant, statement, refusal);
      const { bytes } = inspection;
      if (refusal || bytes === undefined) return { receipt, refusal: refusal as Refusal };
      return { receipt, keep: () => blobs.put(statement.updateRoot, bytes) };
    },
  };
}

function rejected(code: RefusalCode): Inspection {
  return { refusal: { verdict: 'rejected', code } };
}

function isSignedBy(participant: Hex, digest: Uint8Array, signature: Hex): boolean {
  try {
    return recoverAddress(digest, signature) === participant;
  } catch {
    return false;
  }
}
