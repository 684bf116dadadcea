import type { Interface, Result } from 'ethers';
import type { Hex } from '../../shared/bytes.ts';
import type { Rpc } from '../rpc.ts';
import { LedgerError } from './ledger-error.ts';

/**
 * Calls a view function and decodes its result.
 *
 * @param block - block tag or quantity
 * @throws LedgerError `ledger/reverted`, `ledger/not-a-contract`, `ledger/unreachable`, `ledger/refused`
 */
export async function callView(
  rpc: Rpc,
  abi: Interface,
  address: Hex,
  name: string,
  parameters: readonly unknown[] = [],
  block: string = 'latest',
): Promise<Result> {
  const data = abi.encodeFunctionData(name, parameters);
  const result = (await rpc.call('eth_call', [{ to: address, data }, block])) as Hex;
  try {
    return abi.decodeFunctionResult(name, result);
  } catch (cause) {
    throw new LedgerError(
      'ledger/not-a-contract',
      `${address} on ${rpc.url} does not answer ${name}() as this product's contract does: check the address`,
      { address, name },
      cause,
    );
  }
}

/**
 * Checks that an address holds code.
 *
 * @param role - what the address should be, for the message
 * @throws LedgerError `ledger/not-a-contract`
 */
export async function requireCode(rpc: Rpc, address: Hex, role: string): Promise<void> {
  if ((await rpc.call('eth_getCode', [address, 'latest'])) === '0x') {
    throw new LedgerError(
      'ledger/not-a-contract',
      `there is no contract at ${address} on ${rpc.url}: check the ${role} address and that --rpc names its chain`,
      { address, role },
    );
  }
}
