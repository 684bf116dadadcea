import { getCreate2Address, keccak256 } from 'ethers';
import type { Hex } from '../../shared/bytes.ts';
import type { ContractName } from '../artifacts.ts';
import { isLedgerError } from '../ledger/ledger-error.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { OutboxError } from '../outbox/outbox-error.ts';
import type { ReceiptSummary } from '../outbox/outbox-store.ts';
import type { Rpc } from '../rpc.ts';
import { creationCode } from './creation-code.ts';
import { DeployError } from './deploy-error.ts';
import { ensureFactory, FACTORY, factoryCall, hasCode } from './factory.ts';

/** Contracts without state or owner, of which a chain needs one each: whoever comes first deploys them for all. */
export const SINGLETONS = [
  'Deployer',
  'CoordinateJudge',
  'ContributionJudge',
  'ShareJudge',
  'GramJudge',
] as const satisfies readonly ContractName[];

/** One of the {@link SINGLETONS}. */
export type SingletonName = (typeof SINGLETONS)[number];

const NO_SALT = `0x${'00'.repeat(32)}`;

/** Where a singleton is on every chain: it follows from its code (EIP-1014). */
export function singletonAddress(name: SingletonName): Hex {
  return getCreate2Address(FACTORY, NO_SALT, keccak256(creationCode(name))).toLowerCase() as Hex;
}

/**
 * Deploys those of the {@link SINGLETONS} that the chain lacks.
 *
 * @returns the receipts of those that were deployed now
 * @throws DeployError `deploy/no-factory`, `deploy/elsewhere`; and what {@link Outbox.send} throws
 */
export async function ensureSingletons(
  rpc: Rpc,
  outbox: Outbox,
): Promise<Readonly<Partial<Record<SingletonName, ReceiptSummary>>>> {
  const receipts: Partial<Record<SingletonName, ReceiptSummary>> = {};
  for (const name of SINGLETONS) {
    const address = singletonAddress(name);
    if (await hasCode(rpc, address)) continue;
    await ensureFactory(rpc, outbox);
    const receipt = await createOnce(rpc, outbox, {
      ...{ id: `deploy:${name}@${address}`, to: FACTORY, data: factoryCall(creationCode(name)) },
      ...{ name, address },
    });
    if (receipt !== undefined) receipts[name] = receipt;
  }
  return receipts;
}

/** A creation through another contract, at an address known before. */
export interface Creation {
  /** Idempotency key. */
  readonly id: string;
  /** Who creates it. */
  readonly to: Hex;
  /** The call. */
  readonly data: Hex;
  /** What is created, for the message. */
  readonly name: string;
  /** Where it has to be afterwards. */
  readonly address: Hex;
}

/**
 * Creates a contract unless it is there.
 *
 * @returns the receipt, undefined where somebody else or an earlier outbox has created it
 * @throws DeployError `deploy/elsewhere` if it is not where it should be afterwards; and what {@link Outbox.send} throws
 */
export async function createOnce(
  rpc: Rpc,
  outbox: Outbox,
  { id, to, data, name, address }: Creation,
): Promise<ReceiptSummary | undefined> {
  let receipt: ReceiptSummary | undefined;
  try {
    receipt = await outbox.send({ id, to, data });
  } catch (error) {
    // Creating what is there already is what fails; anything else is told.
    const reverted =
      isLedgerError(error, 'ledger/reverted') || (error instanceof OutboxError && error.code === 'outbox/reverted');
    if (!reverted || !(await hasCode(rpc, address))) throw error;
  }
  if (await hasCode(rpc, address)) return receipt;
  throw new DeployError(
    'deploy/elsewhere',
    `${name} was created, but not at ${address}: this chain computes addresses in its own way and cannot carry such contracts`,
    { name, address },
  );
}
