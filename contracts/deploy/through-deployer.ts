import type { Hex } from '../../shared/bytes.ts';
import { type ContractName, loadArtifact } from '../artifacts.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { ReceiptSummary } from '../outbox/outbox-store.ts';
import type { Rpc } from '../rpc.ts';
import { creationCode } from './creation-code.ts';
import { createOnce, singletonAddress } from './singletons.ts';

/** A contract to be created through the chain's Deployer. */
export interface DeployerCreation {
  /** Which contract. */
  readonly name: ContractName;
  /** The salt, 32 bytes. */
  readonly salt: Hex;
  /** Where that puts it: `predictedAddress` of the wallet and the salt. */
  readonly address: Hex;
  /** Arguments of its constructor. */
  readonly parameters: readonly unknown[];
}

/**
 * Creates a contract through the chain's Deployer, unless it is there.
 *
 * @returns the receipt, undefined where an earlier outbox of this wallet has created it
 * @throws DeployError `deploy/elsewhere`; and what {@link Outbox.send} throws
 */
export function createThroughDeployer(
  rpc: Rpc,
  outbox: Outbox,
  { name, salt, address, parameters }: DeployerCreation,
): Promise<ReceiptSummary | undefined> {
  const data = loadArtifact('Deployer').abi.encodeFunctionData('deploy', [salt, creationCode(name, parameters)]) as Hex;
  const id = `deploy:${name}@${address}`;
  return createOnce(rpc, outbox, { id, to: singletonAddress('Deployer'), data, name, address });
}
