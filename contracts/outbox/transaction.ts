import { Signature, Transaction } from 'ethers';
import { fromHex, type Hex } from '../../shared/bytes.ts';
import type { Signer } from '../wallet.ts';
import type { Call, Fees } from './fees.ts';

/** A signed transaction. */
export interface SignedTransaction {
  /** The bytes to broadcast. */
  readonly raw: Hex;
  /** Its hash. */
  readonly hash: Hex;
}

/** Where, when and at what price a call is to be made. */
export interface TransactionTerms extends Fees {
  /** The chain (EIP-155). */
  readonly chainId: bigint;
  /** The wallet's transaction number. */
  readonly nonce: number;
  /** Most gas it may use. */
  readonly gasLimit: bigint;
}

/** Signs a type-2 transaction (EIP-1559). */
export function signTransaction(wallet: Signer, call: Call, terms: TransactionTerms): SignedTransaction {
  const transaction = Transaction.from({ type: 2, to: call.to, data: call.data, value: call.value, ...terms });
  transaction.signature = Signature.from(wallet.signDigest(fromHex(transaction.unsignedHash)));
  return { raw: transaction.serialized as Hex, hash: transaction.hash as Hex };
}

/** A signed transaction, read. */
export interface SignedTerms {
  /** What it does. */
  readonly call: Call;
  /** What it offers for a unit of gas. */
  readonly fees: Fees;
  /** Most gas it may use. */
  readonly gasLimit: bigint;
  /** Most it can take from the wallet, in wei. */
  readonly costWei: bigint;
}

/** Reads a signed transaction. */
export function readTransaction(raw: Hex): SignedTerms {
  const { to, data, value, gasLimit, maxFeePerGas, maxPriorityFeePerGas } = Transaction.from(raw);
  const fees = { maxFeePerGas: maxFeePerGas ?? 0n, maxPriorityFeePerGas: maxPriorityFeePerGas ?? 0n };
  const call = { to: (to?.toLowerCase() ?? null) as Hex | null, data: data.toLowerCase() as Hex, value };
  return { call, fees, gasLimit, costWei: gasLimit * fees.maxFeePerGas + value };
}

/** Whether a signed transaction does exactly this call. */
export function isSameCall(raw: Hex, { to, data, value }: Call): boolean {
  const { call } = readTransaction(raw);
  return call.to === (to?.toLowerCase() ?? null) && call.data === data.toLowerCase() && call.value === value;
}
