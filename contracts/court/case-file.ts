import { keccak256 } from 'ethers';
import type { Hex } from '../../shared/bytes.ts';
import { type Facts, factsOf, openingOf } from '../../shared/openings/facts.ts';
import type { RoundPosition } from '../../shared/openings/round-view.ts';
import type { Subject } from '../../shared/openings/subject.ts';
import type { Dispute, OpenedDispute } from './court.ts';
import { abiEncode, parameterType } from './court-abi.ts';

/** A dispute with what every answer to it must repeat. */
export interface CaseFile {
  /** The dispute's number. */
  readonly id: bigint;
  /** What the contract takes for certain. */
  readonly facts: Facts;
  /** The subject. */
  readonly subject: Subject;
  /** The subject's bytes as they came. */
  readonly subjectData: Hex;
  /** keccak256 of facts and subject: tells the dispute from one that got its number after a reorganization. */
  readonly caseHash: Hex;
}

/**
 * Puts together what an answer to somebody's dispute must repeat. It needs records and the event alone, so it does not
 * matter through which contract the challenge came: whether the challenger has brought the round before too is found by
 * the hash that the contract keeps.
 *
 * @param position - the round of that number that is anchored now
 * @returns undefined where the subject is unreadable, or the disputed round is not this one
 */
export function rebuildCase(
  { id, subject, subjectData }: OpenedDispute,
  { caseHash }: Dispute,
  position: RoundPosition,
): CaseFile | undefined {
  if (subject === undefined) return undefined;
  for (const withParent of position.parent === null ? [false] : [false, true]) {
    const facts = factsOf(openingOf(position, withParent));
    if (caseHashOf(facts, subjectData) === caseHash) return { id, facts, subject, subjectData, caseHash };
  }
  return undefined;
}

/** `keccak256(abi.encode(facts, subject))`, as the contract keeps it. */
function caseHashOf(facts: Facts, subjectData: Hex): Hex {
  return keccak256(abiEncode([parameterType('answer', 1), 'bytes'], [facts, subjectData])) as Hex;
}
