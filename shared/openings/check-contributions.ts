import type { Hex } from '../bytes.ts';
import { updateDigest } from '../commitments/contribution.ts';
import { type Check, challenge, type Examination } from './diagnosis.ts';

/** Holds each contribution to its participant's signature, its place, and its eligibility. */
export const checkContributions: Check = async ({ view, evidence, known }) => {
  if (!known.contributions) return { verdict: 'withheld', what: "the contributions behind the record's root" };
  const { job, round, attempt, parentModelRoot } = view.record;
  for (const [row, own] of view.document.contributions.entries()) {
    const { participant, updateRoot, samples, largestMagnitude, datasetCommitment, signature } = own;
    const previous = view.document.contributions[row - 1]?.participant;
    // A job with a court is not buffered: the contract holds every update to the record's parent, whatever is published.
    const statement = {
      ...{ job, round, attempt, parentRoot: parentModelRoot },
      ...{ updateRoot, samples, largestMagnitude, datasetCommitment },
    };
    const wrong =
      previous !== undefined && previous >= participant
        ? 'stands in the wrong place'
        : !isSigned(evidence, updateDigest(evidence.domain, statement), signature, participant)
          ? 'was not signed by its participant'
          : !(await evidence.isEligible(participant))
            ? 'is of somebody without a stake'
            : undefined;
    if (wrong !== undefined) return challenge({ kind: 'contribution', row }, `contribution ${row} ${wrong}`);
  }
  return undefined;
};

function isSigned({ recover }: Examination['evidence'], digest: Uint8Array, signature: Hex, signer: Hex): boolean {
  try {
    return recover(digest, signature) === signer;
  } catch {
    return false;
  }
}

/** Holds the round to the receipts of accepted updates: of this attempt, for a receipt of another says nothing. */
export const checkReceipts: Check = ({ view, evidence, known }) => {
  const { job, round, attempt } = view.record;
  const { contributions } = view.document;
  if (!known.contributions) return undefined;
  const omitted = evidence.receipts?.find(
    (receipt) =>
      receipt.verdict === 'accepted' &&
      receipt.job === job &&
      receipt.round === round &&
      receipt.attempt === attempt &&
      !contributions.some(
        ({ participant, updateRoot }) => participant === receipt.participant && updateRoot === receipt.updateRoot,
      ),
  );
  return (
    omitted && challenge({ kind: 'omission', receipt: omitted }, `the update of ${omitted.participant} is missing`)
  );
};
