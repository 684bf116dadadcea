import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { addressWord, concatBytes, fromHex, type Hex, toHex } from '../../shared/bytes.ts';
import { RegistryError } from './registry-error.ts';

/**
 * What dates a data set without telling what it is: `keccak256(abi.encode(account, dataset, salt))`.
 *
 * @param account - whose it is
 * @param dataset - its commitment, 32 bytes
 * @param salt - 32 bytes that nobody else knows
 */
export function datasetSeal(account: Hex, dataset: Hex, salt: Hex): Hex {
  return toHex(keccak_256(concatBytes(addressWord(account), fromHex(dataset, 32), fromHex(salt, 32))));
}

/**
 * The salt in a file, which is written first where there is none: without it what was sealed can never be claimed.
 *
 * @throws RegistryError `registry/bad-salt`
 */
export async function keepSalt(file: string): Promise<Hex> {
  try {
    await writeFile(file, `${toHex(randomBytes(32))}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return readSalt(file);
}

/**
 * The salt in a file.
 *
 * @throws RegistryError `registry/bad-salt`
 */
export async function readSalt(file: string): Promise<Hex> {
  const text = (await readFile(file, 'utf8').catch(() => '')).trim();
  if (/^0x[0-9a-f]{64}$/.test(text)) return text as Hex;
  const message = `${file} is not the salt of a sealed data set: name the file that "fedanchor registry dataset seal" wrote`;
  throw new RegistryError('registry/bad-salt', message, { file });
}
