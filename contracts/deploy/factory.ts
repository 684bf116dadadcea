import { setTimeout as delay } from 'node:timers/promises';
import { concatBytes, fromHex, type Hex, toHex } from '../../shared/bytes.ts';
import { isLedgerError } from '../ledger/ledger-error.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { Rpc } from '../rpc.ts';
import { DeployError } from './deploy-error.ts';

/**
 * The deterministic deployment proxy: whatever is sent to it, 32 bytes of salt and then creation code, it creates with
 * CREATE2. It is on nearly every chain, at this address
 * (https://github.com/Arachnid/deterministic-deployment-proxy).
 */
export const FACTORY: Hex = '0x4e59b44847b379578588920ca78fbf26c0b4956c';

// The transaction that creates it, signed by nobody's key: the signature was chosen and the sender follows from it.
const KEYLESS_SENDER: Hex = '0x3fab184622dc19b6109349b94811493bf2a45362';
const KEYLESS_COST_WEI = 100_000n * 100_000_000_000n;
const KEYLESS_TRANSACTION: Hex =
  '0xf8a58085174876e800830186a08080b853604580600e600039806000f350fe7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf31ba02222222222222222222222222222222222222222222222222222222222222222a02222222222222222222222222222222222222222222222222222222222222222';
const LOOKS = 240;
const PAUSE_MS = 250;

/** Whether an address holds code now. */
export async function hasCode(rpc: Rpc, address: Hex): Promise<boolean> {
  return (await rpc.call('eth_getCode', [address, 'latest'])) !== '0x';
}

/** What to send to the {@link FACTORY} to have this created under salt zero. */
export function factoryCall(code: Hex): Hex {
  return toHex(concatBytes(new Uint8Array(32), fromHex(code)));
}

/**
 * Sees to it that the chain has the {@link FACTORY}: where it lacks it, the wallet pays the cost of its well-known
 * transaction to that one's sender and broadcasts it.
 *
 * @throws DeployError `deploy/no-factory` on a chain that does not take that transaction; and what {@link Outbox.send} throws
 */
export async function ensureFactory(rpc: Rpc, outbox: Outbox): Promise<void> {
  if (await hasCode(rpc, FACTORY)) return;
  const balance = BigInt((await rpc.call('eth_getBalance', [KEYLESS_SENDER, 'latest'])) as string);
  if (balance < KEYLESS_COST_WEI) {
    const value = KEYLESS_COST_WEI - balance;
    await outbox.send({ id: `deploy:factory:${value}`, to: KEYLESS_SENDER, data: '0x', value });
  }
  try {
    await rpc.call('eth_sendRawTransaction', [KEYLESS_TRANSACTION]);
  } catch (cause) {
    if (!isLedgerError(cause, 'ledger/refused') && !isLedgerError(cause, 'ledger/reverted')) throw cause;
    // Somebody else may have broadcast it a moment ago.
    if (!(await hasCode(rpc, FACTORY)) && !/already|known/i.test(cause.message)) throw noFactory(rpc, cause);
  }
  for (let looks = 0; !(await hasCode(rpc, FACTORY)); looks++) {
    if (looks === LOOKS) throw noFactory(rpc);
    await delay(PAUSE_MS);
  }
}

function noFactory(rpc: Rpc, cause?: unknown): DeployError {
  return new DeployError(
    'deploy/no-factory',
    `the chain behind ${rpc.url} lacks the deterministic deployment proxy ${FACTORY} and does not take the transaction that creates it: ask its operators to deploy it`,
    { factory: FACTORY },
    cause,
  );
}
