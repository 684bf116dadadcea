import { AbiCoder, type Result } from 'ethers';
import type { Hex } from '../../shared/bytes.ts';
import { VERDICTS, type Verdict } from '../../shared/commitments/receipt.ts';
import type { Kind, OmissionSubject, Subject } from '../../shared/openings/subject.ts';
import { abiEncode, SUBJECT_TYPES } from './court-abi.ts';

/** A subject's bytes as the contract takes them. */
export function encodeSubject(subject: Subject): Hex {
  return abiEncode(SUBJECT_TYPES[subject.kind], valuesOf(subject));
}

function valuesOf(subject: Subject): unknown[] {
  switch (subject.kind) {
    case 'coordinate':
      return [subject.coordinate];
    case 'link':
      return [subject.row, subject.block];
    case 'contribution':
      return [subject.row];
    case 'omission':
      return [{ ...subject.receipt, verdict: VERDICTS[subject.receipt.verdict] }, subject.receipt.signature];
    case 'weights':
      return [subject.selected, subject.better];
    case 'scores':
      return [];
    case 'reward':
      return [subject.after, subject.account, subject.cumulative, subject.proof];
    case 'gram':
      return [subject.row, subject.column];
  }
}

/**
 * Reads a subject that somebody has brought before the contract. Bytes behind what a judge reads are left aside, as it
 * leaves them aside; so whoever sends them back has to send the bytes that came.
 *
 * @returns undefined for bytes that no judge can have read
 */
export function decodeSubject(kind: Kind, data: Hex): Subject | undefined {
  // Nobody reads what comes with these, so it may be anything: the pair of a rule that selects nothing, or of scores.
  if (kind === 'scores') return { kind };
  try {
    return subjectOf(kind, AbiCoder.defaultAbiCoder().decode([...SUBJECT_TYPES[kind]], data, true));
  } catch {
    return kind === 'weights' ? { kind, selected: 0, better: 0 } : undefined;
  }
}

function subjectOf(kind: Exclude<Kind, 'scores'>, values: Result): Subject {
  switch (kind) {
    case 'coordinate':
      return { kind, coordinate: Number(values[0]) };
    case 'link':
      return { kind, row: Number(values[0]), block: Number(values[1]) };
    case 'contribution':
      return { kind, row: Number(values[0]) };
    case 'omission':
      return { kind, receipt: receiptOf(values) };
    case 'weights':
      return { kind, selected: Number(values[0]), better: Number(values[1]) };
    case 'reward': {
      const account = String(values[1]).toLowerCase() as Hex;
      return { kind, after: values[0], account, cumulative: values[2], proof: [...values[3]] };
    }
    case 'gram':
      return { kind, row: Number(values[0]), column: Number(values[1]) };
  }
}

function receiptOf(values: Result): OmissionSubject['receipt'] {
  const [job, round, attempt, participant, updateRoot, verdict, code] = values[0] as Result;
  const named = Object.entries(VERDICTS).find(([, number]) => BigInt(number) === verdict);
  if (named === undefined) throw new RangeError(`there is no verdict ${verdict}`);
  return {
    job,
    round: Number(round),
    attempt: Number(attempt),
    participant: String(participant).toLowerCase() as Hex,
    updateRoot,
    verdict: named[0] as Verdict,
    code,
    signature: values[1],
  };
}
