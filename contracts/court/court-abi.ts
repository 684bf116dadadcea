import { AbiCoder, type ParamType } from 'ethers';
import type { Hex } from '../../shared/bytes.ts';
import { loadArtifact } from '../artifacts.ts';

const LEAF = 'tuple(bytes data, bytes32[] proof)';
const CONTRIBUTION =
  'tuple(address participant, bytes32 updateRoot, uint256 samples, uint256 largestMagnitude, ' +
  'bytes32 datasetCommitment, bytes32 signatureHash, uint256 verdict)';
const TENSOR = 'tuple(bytes32 nameHash, uint256 offset, uint256 size, uint256 fractionBits, uint256 preScaleBits)';
const RECEIPT =
  'tuple(bytes32 job, uint64 round, uint32 attempt, address participant, bytes32 updateRoot, uint8 verdict, string code)';

/**
 * What judges decode from bytes, by the kind of subject or answer. No ABI has these structs: they are `bytes` to whoever
 * passes them on.
 */
export const SUBJECT_TYPES = {
  coordinate: ['uint256'],
  link: ['uint256', 'uint256'],
  contribution: ['uint256'],
  omission: [RECEIPT, 'bytes'],
  weights: ['uint256', 'uint256'],
  scores: [],
  reward: ['bool', 'address', 'uint256', 'bytes32[]'],
  gram: ['uint256', 'uint256'],
} as const;

/** As {@link SUBJECT_TYPES}, for answers. */
export const ANSWER_TYPES = {
  coordinate:
    `tuple(${LEAF} matrix, ${LEAF} aggregate, ${LEAF} parentModel, ${LEAF} model, ${LEAF} parentState, ${LEAF} state, ` +
    `${TENSOR} tensor, uint256 tensorIndex, bytes32[] tensorProof, int256[] weights)`,
  padding: 'bytes32[][4]',
  link: `tuple(${CONTRIBUTION} contribution, bytes32[] proof, ${LEAF} update, ${LEAF} matrix)`,
  contribution:
    `tuple(${CONTRIBUTION} contribution, bytes32[] proof, bytes signature, ${CONTRIBUTION} previous, ` +
    'bytes32[] previousProof)',
  omission: `tuple(uint256 row, ${CONTRIBUTION} contribution, bytes32[] proof)`,
  weights: `tuple(uint256[] weights, int256[] gram, ${CONTRIBUTION}[] contributions)`,
  scores: 'tuple(uint256[] scores, int256[] gram, uint256[] weights)',
  reward: `tuple(uint256[] scores, ${CONTRIBUTION}[] contributions, uint256 other, bytes32[] proof)`,
} as const;

/** Encodes values as `abi.encode` does. */
export function abiEncode(types: readonly (string | ParamType)[], values: readonly unknown[]): Hex {
  return AbiCoder.defaultAbiCoder().encode([...types], [...values]) as Hex;
}

/** The type of an argument of one of the court's functions. */
export function parameterType(name: string, index: number): ParamType {
  return loadArtifact('Disputes').abi.getFunction(name)?.inputs[index] as ParamType;
}
