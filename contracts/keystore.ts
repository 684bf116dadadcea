import { encryptKeystoreJson } from 'ethers';
import { createWallet } from './wallet.ts';

/** How an encrypted key is made harder to guess. */
export interface KeystoreOptions {
  /** Cost of one guess: scrypt's N, a power of two; default 2^17, about half a second. */
  readonly scryptN?: number;
}

/**
 * Encrypts a private key as a keystore (Web3 Secret Storage, version 3), which `loadWallet` and other wallets read.
 *
 * @param privateKey - 32 bytes as `0x` and 64 hexadecimal digits
 * @throws WalletError `wallet/invalid-key`
 */
export function encryptKey(privateKey: string, password: string, options: KeystoreOptions = {}): Promise<string> {
  const { address } = createWallet(privateKey);
  const scrypt = { N: options.scryptN ?? 2 ** 17, r: 8, p: 1 };
  return encryptKeystoreJson({ address, privateKey }, password, { scrypt });
}
