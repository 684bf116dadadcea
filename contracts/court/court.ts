import type { LogDescription } from 'ethers';
import type { Hex } from '../../shared/bytes.ts';
import type { RevealedBlock } from '../../shared/openings/diagnosis.ts';
import { KINDS, type Kind, type Subject } from '../../shared/openings/subject.ts';
import { loadArtifact } from '../artifacts.ts';
import { callView, requireCode } from '../ledger/call.ts';
import type { Rpc } from '../rpc.ts';
import { type CourtLog, readCourtLogs, receiptLogs } from './court-logs.ts';
import { revealedBlock } from './revealed.ts';
import { decodeSubject } from './subject-codec.ts';

/** What a court was created with. */
export interface CourtTerms {
  /** The job's RoundAnchor, lower case. */
  readonly anchor: Hex;
  /** The job's StakeManager, lower case. */
  readonly stakes: Hex;
  /** Blocks of 64 coordinates in a vector of the job. */
  readonly blocks: number;
  /** Time for each move, in seconds. */
  readonly answerS: number;
  /** A challenger's bond, in the stake token's smallest unit. */
  readonly challengerBond: bigint;
  /** What a coordinator loses by a wrong round, in the stake token's smallest unit. */
  readonly slashAmount: bigint;
  /** Whether updates are scored by confirmation; by alignment otherwise. */
  readonly confirmation: boolean;
}

/** A dispute as its event tells it. */
export interface OpenedDispute {
  /** Its number. */
  readonly id: bigint;
  /** The disputed round. */
  readonly round: number;
  /** Who opened it, lower case. */
  readonly challenger: Hex;
  /** What it is about. */
  readonly kind: Kind;
  /** Where the round is said to be wrong; undefined for bytes that cannot be read. */
  readonly subject: Subject | undefined;
  /** The bytes of that. */
  readonly subjectData: Hex;
  /** Block of the event. */
  readonly blockNumber: number;
  /** Transaction of the event. */
  readonly transactionHash: Hex;
}

/** A dispute in flight. */
export interface Dispute {
  /** Who opened it, lower case. */
  readonly challenger: Hex;
  /** When the move that is due must have come, in seconds since 1970. */
  readonly deadlineS: number;
  /** The disputed round. */
  readonly round: number;
  /** What it is about. */
  readonly kind: Kind;
  /** Whether it is the challenger's move. */
  readonly challengerDue: boolean;
  /** Who anchored the round, lower case. */
  readonly coordinator: Hex;
  /** When the round was anchored, in seconds since 1970. */
  readonly anchoredAtS: number;
  /** Head after the round, 26 bytes. */
  readonly head: Hex;
  /** keccak256 of facts and subject. */
  readonly caseHash: Hex;
}

/** Where a dispute over an entry of the Gram matrix stands. */
export interface Bisection {
  /** Whether the entry has been opened. */
  readonly open: boolean;
  /** What the coordinator says that the blocks in question sum to. */
  readonly expected: bigint;
  /** First of them. */
  readonly first: number;
  /** How many. */
  readonly span: number;
}

/** What the participants of rewound rounds share. */
export interface Pot {
  /** Head after the latest rewound round, 26 bytes. */
  readonly lastHead: Hex;
  /** Earliest rewound round. */
  readonly firstRound: number;
  /** Latest rewound round. */
  readonly lastRound: number;
  /** For each round, in the stake token's smallest unit. */
  readonly perRound: bigint;
}

/** How a dispute ended, or that two records were shown not to fit together. */
export type CourtOutcome = {
  /** Block of the event. */
  readonly blockNumber: number;
  /** Transaction of the event. */
  readonly transactionHash: Hex;
} & (
  | {
      /** The round was shown to be right; its record was gone; or the challenger did not move. */
      readonly outcome: 'answered' | 'moot' | 'abandoned';
      /** The dispute. */
      readonly id: bigint;
    }
  | {
      /** The round was rewound. */
      readonly outcome: 'won';
      /** The dispute. */
      readonly id: bigint;
      /** Number of the pot that its participants share. */
      readonly pot: bigint;
    }
  | {
      /** A round that does not continue the one before it was rewound. */
      readonly outcome: 'discontinuity';
      /** The round. */
      readonly round: number;
      /** Who showed it, lower case. */
      readonly reporter: Hex;
      /** Number of the pot. */
      readonly pot: bigint;
    }
);

/** The read side of a job's court. */
export interface Court {
  /** Address of the Disputes contract, lower case. */
  readonly address: Hex;
  /** What it was created with. */
  terms(): Promise<CourtTerms>;
  /** Every dispute opened from a block on, oldest first. */
  opened(fromBlock: number): Promise<OpenedDispute[]>;
  /** The dispute that a transaction has opened, undefined if none or the transaction is not mined. */
  disputeIn(transactionHash: Hex): Promise<bigint | undefined>;
  /** A dispute as it stands, undefined when it has ended or never was. */
  disputeOf(id: bigint): Promise<Dispute | undefined>;
  /** Where a dispute over an entry of the Gram matrix stands. */
  bisectionOf(id: bigint): Promise<Bisection>;
  /** The partial sums that the coordinator posted last, undefined before the first. */
  sumsOf(id: bigint, fromBlock: number): Promise<readonly bigint[] | undefined>;
  /** How disputes ended from a block on, oldest first. */
  outcomes(fromBlock: number): Promise<CourtOutcome[]>;
  /** Blocks of matrices that answers have shown from a block on: what a search for a lie in a matrix goes by. */
  revealed(fromBlock: number): Promise<RevealedBlock[]>;
  /** What the participants of rewound rounds share. */
  potOf(pot: bigint): Promise<Pot>;
  /** Earliest disputed round, 0 if there is none. */
  earliestDisputed(): Promise<number>;
}

/** Where a court is. */
export interface CourtOptions {
  /** The node. */
  readonly rpc: Rpc;
  /** Address of the Disputes contract. */
  readonly disputes: Hex;
  /** Blocks asked for at once when reading events; default 5,000. */
  readonly logRangeBlocks?: number;
}

/**
 * Connects to a job's court for reading, and checks that it is there.
 *
 * @throws LedgerError `ledger/not-a-contract`, `ledger/unreachable`
 */
export async function connectCourt({ rpc, disputes, logRangeBlocks = 5000 }: CourtOptions): Promise<Court> {
  const address = lower(disputes);
  const { abi } = loadArtifact('Disputes');
  await requireCode(rpc, address, 'disputes');
  const view = async (name: string, ...parameters: unknown[]) =>
    (await callView(rpc, abi, address, name, parameters))[0];
  const logs = (names: readonly string[], fromBlock: number, id?: bigint) =>
    readCourtLogs({ rpc, address, names, fromBlock, logRangeBlocks, ...(id !== undefined && { id }) });
  return {
    address,
    async terms() {
      const terms = await view('terms');
      return {
        anchor: lower(terms.anchor),
        stakes: lower(terms.stakes),
        blocks: Number(terms.blocks),
        answerS: Number(terms.answerS),
        challengerBond: terms.challengerBond,
        slashAmount: terms.slashAmount,
        confirmation: terms.confirmation,
      };
    },
    opened: async (fromBlock) => (await logs(['DisputeOpened'], fromBlock)).map(openedOf),
    async disputeIn(transactionHash) {
      const events = await receiptLogs(rpc, address, transactionHash);
      return events.find(({ name }) => name === 'DisputeOpened')?.args['id'];
    },
    async disputeOf(id) {
      const found = await view('disputeOf', id);
      if (BigInt(found.challenger) === 0n) return undefined;
      return {
        challenger: lower(found.challenger),
        deadlineS: Number(found.deadline),
        round: Number(found.round),
        kind: kindOf(found.kind),
        challengerDue: found.challengerDue,
        coordinator: lower(found.coordinator),
        anchoredAtS: Number(found.anchoredAt),
        head: found.head,
        caseHash: found.caseHash,
      };
    },
    async bisectionOf(id) {
      const { expected, first, span } = await view('bisectionOf', id);
      return { open: span > 0n, expected, first: Number(first), span: Number(span) };
    },
    async sumsOf(id, fromBlock) {
      const posted = (await logs(['SumsPosted'], fromBlock, id)).at(-1);
      return posted && [...posted.event.args['sums']];
    },
    async outcomes(fromBlock) {
      return (await logs(OUTCOMES, fromBlock)).map(outcomeOf);
    },
    async revealed(fromBlock) {
      const opened = (await logs(['DisputeOpened'], fromBlock)).map(openedOf);
      const blocks: RevealedBlock[] = [];
      for (const { event, transactionHash } of await logs(['DisputeAnswered'], fromBlock)) {
        const dispute = opened.find(({ id }) => id === event.args['id']);
        const block = dispute && (await revealedBlock(rpc, transactionHash, dispute));
        if (block !== undefined) blocks.push(block);
      }
      return blocks;
    },
    async potOf(pot) {
      const { lastHead, firstRound, lastRound, perRound } = await view('potOf', pot);
      return { lastHead, firstRound: Number(firstRound), lastRound: Number(lastRound), perRound };
    },
    earliestDisputed: async () => Number(await view('earliestDisputed')),
  };
}

const OUTCOMES = ['DisputeAnswered', 'DisputeWon', 'DisputeMoot', 'DisputeAbandoned', 'DiscontinuityProven'];

function openedOf({ event, blockNumber, transactionHash }: CourtLog): OpenedDispute {
  const kind = kindOf(event.args['kind']);
  const subjectData = event.args['subject'] as Hex;
  return {
    id: event.args['id'],
    round: Number(event.args['round']),
    challenger: lower(event.args['challenger']),
    kind,
    subject: decodeSubject(kind, subjectData),
    subjectData,
    blockNumber,
    transactionHash,
  };
}

function outcomeOf({ event, blockNumber, transactionHash }: CourtLog): CourtOutcome {
  const { name, args }: LogDescription = event;
  const place = { blockNumber, transactionHash };
  if (name === 'DiscontinuityProven') {
    const { round, reporter, pot } = args.toObject() as { round: bigint; reporter: string; pot: bigint };
    return { ...place, outcome: 'discontinuity', round: Number(round), reporter: lower(reporter), pot };
  }
  const id = args['id'] as bigint;
  if (name === 'DisputeWon') return { ...place, outcome: 'won', id, pot: args['pot'] };
  const outcome = name === 'DisputeAnswered' ? 'answered' : name === 'DisputeMoot' ? 'moot' : 'abandoned';
  return { ...place, outcome, id };
}

function kindOf(number: bigint): Kind {
  return KINDS[Number(number)] as Kind;
}

function lower(address: string): Hex {
  return address.toLowerCase() as Hex;
}
