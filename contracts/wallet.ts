import { readFile, stat } from 'node:fs/promises';
import { inspect } from 'node:util';
import { computeAddress, Wallet as EncryptedWallet, recoverAddress as recover, SigningKey } from 'ethers';
import { fromHex, type Hex, toHex } from '../shared/bytes.ts';
import { FedanchorError } from '../shared/errors.ts';
import { processTerminal, readKeyPassword, type Terminal } from './key-password.ts';

/** Thrown by wallets and signature checks. */
export class WalletError extends FedanchorError<
  | 'wallet/invalid-key'
  | 'wallet/no-key'
  | 'wallet/unreadable-file'
  | 'wallet/exposed-file'
  | 'wallet/wrong-password'
  | 'wallet/invalid-digest'
  | 'wallet/invalid-signature'
> {}

/** Whoever can sign for an address: a key in memory here, a key service elsewhere. */
export interface Signer {
  /** The address, lower case. */
  readonly address: Hex;
  /**
   * Signs a 32-byte digest: 65 bytes r, s, v (v is 27 or 28), s in the lower half (EIP-2), the nonce by RFC 6979, so
   * that one digest always gets one signature.
   *
   * @throws WalletError `wallet/invalid-digest`
   */
  signDigest(digest: Uint8Array): Hex;
}

/** Where a wallet's key is found. */
export interface WalletSource {
  /** File with the key; `FEDANCHOR_KEY_FILE` is used when it is left out. */
  readonly keyFile?: string;
  /** Environment variables: `FEDANCHOR_KEY_FILE`, and those of {@link readKeyPassword}. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Who is asked for a keystore's password; default the process's terminal, if it has one. */
  readonly terminal?: Terminal | undefined;
}

// Half the order of secp256k1: s above it is the malleable twin of a signature.
const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

/**
 * A signer around a private key. The key stays inside: neither printing nor serializing the signer shows it.
 *
 * @param privateKey - 32 bytes as `0x` and 64 hexadecimal digits
 * @throws WalletError `wallet/invalid-key`
 */
export function createWallet(privateKey: string): Signer {
  const key = signingKey(privateKey);
  const address = computeAddress(key.publicKey).toLowerCase() as Hex;
  const shown = () => ({ address });
  const wallet = {
    address,
    signDigest(digest: Uint8Array): Hex {
      if (digest.length !== 32) {
        throw new WalletError(
          'wallet/invalid-digest',
          `a digest has 32 bytes, this one ${digest.length}: hash it first`,
        );
      }
      return key.sign(digest).serialized as Hex;
    },
  };
  Object.defineProperty(wallet, 'toJSON', { value: shown });
  Object.defineProperty(wallet, inspect.custom, { value: shown });
  return Object.freeze(wallet);
}

/**
 * Loads a wallet from a file: either `0x` and 64 hexadecimal digits, readable by its owner only, or an encrypted JSON
 * keystore (Web3 Secret Storage), whose password comes from {@link readKeyPassword}: the environment, a file or a terminal.
 *
 * @throws WalletError `wallet/no-key`, `wallet/unreadable-file`, `wallet/exposed-file`, `wallet/wrong-password`,
 *   `wallet/invalid-key`; KeyPasswordError
 */
export async function loadWallet({
  keyFile,
  environment,
  terminal = processTerminal(),
}: WalletSource): Promise<Signer> {
  const file = keyFile ?? environment['FEDANCHOR_KEY_FILE'];
  if (file === undefined || file === '') {
    throw new WalletError('wallet/no-key', 'no key was named: give --key-file FILE or set FEDANCHOR_KEY_FILE');
  }
  let text: string;
  let mode: number;
  try {
    text = (await readFile(file, 'utf8')).trim();
    mode = (await stat(file)).mode;
  } catch (cause) {
    throw new WalletError(
      'wallet/unreadable-file',
      `the key file ${file} cannot be read: check the path`,
      { file },
      cause,
    );
  }
  if (text.startsWith('{')) {
    return decrypt(file, text, await readKeyPassword(`the keystore ${file}`, { environment, terminal }));
  }
  // Windows has no such mode bits; its files are private to the profile they lie in.
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new WalletError(
      'wallet/exposed-file',
      `other users may read the key file ${file}: run "chmod 600 ${file}", or use an encrypted keystore`,
      { file, mode: (mode & 0o777).toString(8) },
    );
  }
  return createWallet(text);
}

/**
 * The address whose key made this signature over this digest.
 *
 * @param digest - 32 bytes
 * @param signature - 65 bytes r, s, v
 * @returns the address in lower case
 * @throws WalletError `wallet/invalid-digest`; `wallet/invalid-signature` for a wrong length, v other than 27 or 28, s in
 *   the upper half (EIP-2), or a point that is none
 */
export function recoverAddress(digest: Uint8Array, signature: string): Hex {
  if (digest.length !== 32) {
    throw new WalletError('wallet/invalid-digest', `a digest has 32 bytes, this one ${digest.length}: hash it first`);
  }
  if (!/^0x[0-9a-fA-F]{130}$/.test(signature)) {
    throw new WalletError('wallet/invalid-signature', 'a signature is 65 bytes in hexadecimal: r, s and v');
  }
  const bytes = fromHex(signature);
  const v = bytes[64];
  const s = BigInt(toHex(bytes.subarray(32, 64)));
  if (v !== 27 && v !== 28) {
    throw new WalletError('wallet/invalid-signature', `the signature's last byte is ${v}: it must be 27 or 28`, { v });
  }
  if (s > HALF_ORDER) {
    throw new WalletError('wallet/invalid-signature', 'the signature has its s in the upper half: sign with low s');
  }
  try {
    return recover(digest, signature).toLowerCase() as Hex;
  } catch (cause) {
    throw new WalletError('wallet/invalid-signature', 'no key can have made this signature', {}, cause);
  }
}

function signingKey(privateKey: string): SigningKey {
  try {
    if (/^0x[0-9a-fA-F]{64}$/.test(privateKey)) {
      const key = new SigningKey(privateKey);
      // Computing the public key is what finds zero and numbers beyond the curve's order.
      if (key.publicKey !== '') return key;
    }
  } catch {
    // The cause is left out on purpose: it might repeat the key.
  }
  throw new WalletError('wallet/invalid-key', 'a private key is 0x and 64 hexadecimal digits, a number on the curve');
}

async function decrypt(file: string, keystore: string, password: string): Promise<Signer> {
  try {
    return createWallet((await EncryptedWallet.fromEncryptedJson(keystore, password)).privateKey);
  } catch {
    throw new WalletError(
      'wallet/wrong-password',
      `the keystore ${file} does not open: check its password and the file`,
      { file },
    );
  }
}
