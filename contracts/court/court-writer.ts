import { keccak256 } from 'ethers';
import type { Hex } from '../../shared/bytes.ts';
import type { Contribution } from '../../shared/commitments/contribution.ts';
import { type RoundRecord, recordHash } from '../../shared/commitments/record.ts';
import type { Answer } from '../../shared/openings/answer.ts';
import { contributionLeaf, contributionProof } from '../../shared/openings/contribution-answers.ts';
import { needsParent, openingOf } from '../../shared/openings/facts.ts';
import type { BlockOpening, GramEntry, Span } from '../../shared/openings/gram-moves.ts';
import type { PlacedRecord, RoundPosition } from '../../shared/openings/round-view.ts';
import { KINDS, type Subject } from '../../shared/openings/subject.ts';
import { type ContractName, loadArtifact } from '../artifacts.ts';
import type { JobAddresses } from '../ledger/ledger-writer.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { ReceiptSummary } from '../outbox/outbox-store.ts';
import { encodeAnswer } from './answer-codec.ts';
import type { CaseFile } from './case-file.ts';
import { encodeSubject } from './subject-codec.ts';

/** Addresses that a writer of a job's court needs. */
export type CourtAddresses = Required<Pick<JobAddresses, 'stakes' | 'disputes'>> & {
  /** The ERC-20 that bonds are in. */
  readonly token: Hex;
};

/** A participant's share of what was set aside for a rewound round. */
export interface CompensationClaim {
  /** Number of the pot. */
  readonly pot: bigint;
  /** The rewound round, and the head before it. */
  readonly rewound: PlacedRecord;
  /** The rewound records after it, in order. */
  readonly later: readonly RoundRecord[];
  /** The round's contributions, from its document. */
  readonly contributions: readonly Contribution[];
  /** The participant's row. */
  readonly row: number;
}

/**
 * The write side of a job's court. Every method sends one transaction through the outbox, at most once for the same
 * arguments, and resolves when it is confirmed; it throws what {@link Outbox.send} throws. A move that the contract would
 * refuse is not sent: `ledger/reverted` has the reason.
 */
export interface CourtWriter {
  /** Lets the StakeManager draw bonds from the wallet; `purpose` tells one approval from the next. */
  approveBonds(amount: bigint, purpose: string): Promise<ReceiptSummary>;
  /** Opens a dispute; locks the challenger's bond. */
  challenge(position: RoundPosition, subject: Subject): Promise<ReceiptSummary>;
  /** Ends a dispute by showing that the round is right (anyone). */
  answer(caseFile: CaseFile, answer: Answer): Promise<ReceiptSummary>;
  /** First move over an entry of the Gram matrix (coordinator). */
  openEntry(caseFile: CaseFile, entry: GramEntry): Promise<ReceiptSummary>;
  /** Further moves (coordinator); `at` is where the dispute stands. */
  postSums(caseFile: CaseFile, at: Span, sums: readonly bigint[]): Promise<ReceiptSummary>;
  /** Last move, once one block is left (anyone). */
  openBlock(caseFile: CaseFile, opening: BlockOpening): Promise<ReceiptSummary>;
  /** Names the wrong one among the sums that were posted last (challenger); `at` is where the dispute stands. */
  pickSum(id: bigint, at: Span, index: number, sums: readonly bigint[]): Promise<ReceiptSummary>;
  /** Ends a dispute that was not answered in time, and rewinds (anyone); `last` is the latest anchored record. */
  convict(id: bigint, disputed: PlacedRecord, last: RoundRecord): Promise<ReceiptSummary>;
  /** Ends a dispute whose challenger did not move in time (anyone). */
  abandon(id: bigint): Promise<ReceiptSummary>;
  /** Ends a dispute whose round is not anchored any more (anyone). */
  dismiss(id: bigint): Promise<ReceiptSummary>;
  /** Rewinds a round that does not continue the one before it (anyone); `last` is the latest anchored record. */
  proveDiscontinuity(position: RoundPosition, last: RoundRecord): Promise<ReceiptSummary>;
  /** Credits one participant's compensation (anyone). */
  compensate(claim: CompensationClaim): Promise<ReceiptSummary>;
}

/** Writes to a job's court through an outbox. */
export function createCourtWriter(outbox: Outbox, { disputes, stakes, token }: CourtAddresses): CourtWriter {
  const send = (id: string, contract: ContractName, to: Hex, name: string, parameters: readonly unknown[]) => {
    const data = loadArtifact(contract).abi.encodeFunctionData(name, parameters) as Hex;
    return outbox.send({ id: `${id}@${to.toLowerCase()}`, to, data });
  };
  // What is sent is part of the id: a reorganization may give a dispute's number to another one.
  const move = (id: string, name: string, parameters: readonly unknown[]) => {
    const data = loadArtifact('Disputes').abi.encodeFunctionData(name, parameters) as Hex;
    const digest = keccak256(data).slice(2, 18);
    return outbox.send({ id: `${name}:${id}:${digest}@${disputes.toLowerCase()}`, to: disputes, data });
  };
  const repeated = ({ id, facts, subjectData }: CaseFile): unknown[] => [id, facts, subjectData];
  return {
    approveBonds: (amount, purpose) => send(`approve-bonds:${purpose}`, 'FedToken', token, 'approve', [stakes, amount]),
    challenge: (position, subject) => {
      const opening = openingOf(position, needsParent(position, subject));
      const { round, attempt } = position.record;
      const parameters = [KINDS.indexOf(subject.kind), opening, encodeSubject(subject)];
      return move(`${subject.kind}:${round}:${attempt}`, 'challenge', parameters);
    },
    answer: (caseFile, answer) => move(String(caseFile.id), 'answer', [...repeated(caseFile), encodeAnswer(answer)]),
    openEntry: (caseFile, { row, sums }) => move(String(caseFile.id), 'openEntry', [...repeated(caseFile), row, sums]),
    postSums: ({ id, caseHash }, { first, span }, sums) =>
      move(`${id}:${caseHash.slice(2, 18)}:${first}:${span}`, 'postSums', [id, sums]),
    openBlock: (caseFile, opening) => move(String(caseFile.id), 'openBlock', [...repeated(caseFile), opening]),
    pickSum: (id, { first, span }, index, sums) => move(`${id}:${first}:${span}`, 'pickSum', [id, index, sums]),
    convict: (id, { record, parentHead }, last) => move(String(id), 'convict', [id, record, parentHead, last]),
    abandon: (id) => move(String(id), 'abandon', [id]),
    dismiss: (id) => move(String(id), 'dismiss', [id]),
    proveDiscontinuity: (position, last) => {
      const { round, attempt } = position.record;
      return move(`${round}:${attempt}`, 'proveDiscontinuity', [openingOf(position, true), last]);
    },
    compensate: ({ pot, rewound: { record, parentHead }, later, contributions, row }) =>
      move(`${pot}:${record.round}:${row}`, 'compensate', [
        pot,
        record,
        parentHead,
        later.map(recordHash),
        row,
        contributionLeaf(contributions[row] as Contribution),
        contributionProof(contributions, row),
      ]),
  };
}
