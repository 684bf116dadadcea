import { keccak_256 } from '@noble/hashes/sha3.js';
import { type Hex, toHex, utf8 } from '../../shared/bytes.ts';
import { canonicalJson, type Json } from '../../shared/codec.ts';
import { type ContractName, loadArtifact } from '../artifacts.ts';

/**
 * A salt that stands for what is created and with which code: other settings or other code get other addresses, so what is
 * found at an address is what was meant to be there.
 *
 * @param names - the contracts, whose code counts
 * @param settings - plain data; bigints count as decimal strings
 */
export function settingsHash(names: readonly ContractName[], settings: object): Hex {
  const codes = names.map((name) => hash(loadArtifact(name).bytecode));
  const plain = JSON.stringify({ codes, settings }, (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  return hash(canonicalJson(JSON.parse(plain) as Json));
}

function hash(text: string): Hex {
  return toHex(keccak_256(utf8(text)));
}
