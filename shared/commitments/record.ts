import { keccak_256 } from '@noble/hashes/sha3.js';
import { addressWord, concatBytes, fromHex, type Hex, toHex, word } from '../bytes.ts';

/**
 * What the coordinator anchors for one round: every input and output of the round function by commitment.
 *
 * The order of the members is the order of the ABI struct in `contracts/interfaces/IRoundAnchor.sol`.
 */
export interface RoundRecord {
  /** The job this round belongs to. */
  readonly job: Hex;
  /** Round number, from 1. */
  readonly round: number;
  /** How many times work on this job was restarted before: with the round it names one attempt for ever. */
  readonly attempt: number;
  /** Admitted participants: rows of the matrix. */
  readonly participants: number;
  /** Binary places of the updates: a coordinate counts units of 2^-updateBits. */
  readonly updateBits: number;
  /** Position of the seed in the job's committed seed chain. */
  readonly seedIndex: number;
  /** The seed of this round, revealed after collection closed. */
  readonly seed: Hex;
  /** Hash of the part of the plan that the manifest fixes; the contract compares it. */
  readonly fixedPlanHash: Hex;
  /** Root over the manifest's table of tensors; the contract compares it. */
  readonly tensorTableRoot: Hex;
  /** Model the updates were trained from. */
  readonly parentModelRoot: Hex;
  /** Model after the server step. */
  readonly modelRoot: Hex;
  /** Server optimizer's state after the step. */
  readonly serverStateRoot: Hex;
  /** The aggregate of the admitted updates. */
  readonly aggregateRoot: Hex;
  /** The n x D matrix of admitted updates, by blocks of 64 coordinates. */
  readonly matrixRoot: Hex;
  /** Who contributed what, by signature. */
  readonly contributionsRoot: Hex;
  /** The (n+1) x (n+1) Gram matrix, the aggregate last. */
  readonly gramRoot: Hex;
  /** Aggregation weights; zeros for coordinate rules, which have none. */
  readonly weightsRoot: Hex;
  /** Integer scores that split the round's pot. */
  readonly scoresRoot: Hex;
  /** Cumulative rewards of every account, in the form OpenZeppelin's MerkleProof verifies. */
  readonly rewardsRoot: Hex;
  /** Sum of all rewards since round 1, in the token's smallest unit. */
  readonly rewardsTotal: bigint;
  /** SHA-256 of the round's document, under which anybody finds the data behind the roots. */
  readonly location: Hex;
}

/** The record as the EVM's ABI lays it out: 21 words of 32 bytes. */
export function encodeRecord(record: RoundRecord): Uint8Array {
  return concatBytes(
    fromHex(record.job, 32),
    word(record.round),
    word(record.attempt),
    word(record.participants),
    word(record.updateBits),
    word(record.seedIndex),
    ...[
      record.seed,
      record.fixedPlanHash,
      record.tensorTableRoot,
      record.parentModelRoot,
      record.modelRoot,
      record.serverStateRoot,
      record.aggregateRoot,
      record.matrixRoot,
      record.contributionsRoot,
      record.gramRoot,
      record.weightsRoot,
      record.scoresRoot,
      record.rewardsRoot,
    ].map((root) => fromHex(root, 32)),
    word(record.rewardsTotal),
    fromHex(record.location, 32),
  );
}

/** `keccak256(abi.encode(record))`, as the contract computes it. */
export function recordHash(record: RoundRecord): Hex {
  return toHex(keccak_256(encodeRecord(record)));
}

/** What a job's hash chain starts from. */
export interface ChainOrigin {
  /** EIP-155 chain id. */
  readonly chainId: bigint;
  /** Address of the job's RoundAnchor. */
  readonly anchor: Hex;
  /** The job. */
  readonly job: Hex;
  /** Hash of the job's manifest. */
  readonly manifestHash: Hex;
  /** Model before round 1. */
  readonly genesisModelRoot: Hex;
}

/** Head of the chain before round 1: 26 bytes, bound to one contract on one chain. */
export function genesisHead(origin: ChainOrigin): Hex {
  return head208(
    concatBytes(
      word(origin.chainId),
      addressWord(origin.anchor),
      fromHex(origin.job, 32),
      fromHex(origin.manifestHash, 32),
      fromHex(origin.genesisModelRoot, 32),
    ),
  );
}

/**
 * Head of the chain after one more record: 26 bytes.
 *
 * @param previous - the head before, 26 bytes
 * @param record - hash of the record, 32 bytes
 */
export function nextHead(previous: Hex, record: Hex): Hex {
  // A bytes26 is left-aligned in its word, so the padding follows.
  return head208(concatBytes(fromHex(previous, 26), new Uint8Array(6), fromHex(record, 32)));
}

/** The contract keeps 208 bits of a head so that it shares one storage slot with the round and its tick. */
function head208(preimage: Uint8Array): Hex {
  return toHex(keccak_256(preimage).subarray(0, 26));
}

/** A record as JSON can hold it: the one wide integer as a decimal string. */
export type RoundRecordJson = Omit<RoundRecord, 'rewardsTotal'> & {
  /** {@link RoundRecord.rewardsTotal} as a decimal string. */
  readonly rewardsTotal: string;
};

/** Writes a record in its JSON form. */
export function recordToJson(record: RoundRecord): RoundRecordJson {
  return { ...record, rewardsTotal: String(record.rewardsTotal) };
}

/** Reads a record from its JSON form. */
export function recordFromJson(json: RoundRecordJson): RoundRecord {
  return { ...json, rewardsTotal: BigInt(json.rewardsTotal) };
}
