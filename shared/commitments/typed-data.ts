import { keccak_256 } from '@noble/hashes/sha3.js';
import { addressWord, concatBytes, fromHex, type Hex, utf8, word } from '../bytes.ts';

/** Where a signature is valid: one contract on one chain (EIP-712 domain `fedanchor`, version 1). */
export interface SigningDomain {
  /** EIP-155 chain id. */
  readonly chainId: bigint;
  /** The job's RoundAnchor. */
  readonly anchor: Hex;
}

/** Stands for the contract in what is signed for a coordinator as a whole and not for one job. */
export const NO_ANCHOR: Hex = `0x${'00'.repeat(20)}`;

type FieldType = 'bytes32' | 'uint8' | 'uint32' | 'uint64' | 'uint256' | 'address' | 'string' | 'bytes26';
type FieldValue = string | number | bigint;

/** A struct type of EIP-712: its name and its members in order. Only flat structs are needed here. */
export interface StructType {
  /** Name of the struct. */
  readonly name: string;
  /** Members in order: name and Solidity type. */
  readonly fields: readonly (readonly [name: string, type: FieldType])[];
}

/** What a client signs to contribute an update. */
export const UPDATE_TYPE: StructType = {
  name: 'Update',
  fields: [
    ['job', 'bytes32'],
    ['round', 'uint64'],
    ['attempt', 'uint32'],
    ['parentRoot', 'bytes32'],
    ['updateRoot', 'bytes32'],
    ['samples', 'uint32'],
    ['largestMagnitude', 'uint32'],
    ['datasetCommitment', 'bytes32'],
  ],
};

/** What the coordinator signs in answer to a submission. */
export const RECEIPT_TYPE: StructType = {
  name: 'Receipt',
  fields: [
    ['job', 'bytes32'],
    ['round', 'uint64'],
    ['attempt', 'uint32'],
    ['participant', 'address'],
    ['updateRoot', 'bytes32'],
    ['verdict', 'uint8'],
    ['code', 'string'],
  ],
};

/** What a party signs to open a session: a fresh challenge, bound to one coordinator and one role. */
export const SESSION_TYPE: StructType = {
  name: 'Session',
  fields: [
    ['coordinator', 'address'],
    ['role', 'string'],
    ['challenge', 'bytes32'],
  ],
};

/** What a participant signs after fetching and recomputing the rounds up to a head. */
export const ATTESTATION_TYPE: StructType = {
  name: 'Attestation',
  fields: [
    ['job', 'bytes32'],
    ['round', 'uint64'],
    ['head', 'bytes26'],
  ],
};

/**
 * The digest to sign, by EIP-712: `keccak256(0x1901 ‖ domainSeparator ‖ hashStruct(message))`.
 *
 * @param domain - where the signature is valid
 * @param type - the struct's type
 * @param message - a value for every member of the type
 */
export function typedDataDigest(
  domain: SigningDomain,
  type: StructType,
  message: Readonly<Record<string, FieldValue>>,
): Uint8Array {
  const separator = hashStruct(
    {
      name: 'EIP712Domain',
      fields: [
        ['name', 'string'],
        ['version', 'string'],
        ['chainId', 'uint256'],
        ['verifyingContract', 'address'],
      ],
    },
    { name: 'fedanchor', version: '1', chainId: domain.chainId, verifyingContract: domain.anchor },
  );
  return keccak_256(concatBytes(Uint8Array.of(0x19, 0x01), separator, hashStruct(type, message)));
}

function hashStruct(type: StructType, message: Readonly<Record<string, FieldValue>>): Uint8Array {
  const signature = `${type.name}(${type.fields.map(([name, kind]) => `${kind} ${name}`).join(',')})`;
  const members = type.fields.map(([name, kind]) => encodeField(kind, message[name] as FieldValue));
  return keccak_256(concatBytes(keccak_256(utf8(signature)), ...members));
}

function encodeField(kind: FieldType, value: FieldValue): Uint8Array {
  switch (kind) {
    case 'bytes32':
      return fromHex(String(value), 32);
    case 'bytes26':
      return concatBytes(fromHex(String(value), 26), new Uint8Array(6));
    case 'address':
      return addressWord(String(value));
    case 'string':
      return keccak_256(utf8(String(value)));
    default:
      return word(value as number | bigint);
  }
}
