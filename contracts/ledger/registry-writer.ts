import type { Hex } from '../../shared/bytes.ts';
import type { RoundRecord } from '../../shared/commitments/record.ts';
import { loadArtifact } from '../artifacts.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { ReceiptSummary } from '../outbox/outbox-store.ts';
import type { Rpc } from '../rpc.ts';
import { callView } from './call.ts';
import type { JobAddresses } from './ledger-writer.ts';
import type { PublishedModel, Registry } from './registry.ts';
import { type Announcement, announce } from './registry-announcement.ts';

/**
 * The write side of a chain's Registry. Each method sends at most once for the same arguments (and `purpose`, where it
 * takes one), resolves when it is confirmed, and throws what {@link Outbox.send} throws.
 */
export interface RegistryWriter {
  /**
   * Registers a job, whose coordinator or guardian the wallet must be, and locks a bond.
   *
   * @param plan - the words behind the job's fixed plan hash, 32 bytes each
   * @param announcement - what is said beside it to whoever looks for a job
   */
  register(
    job: JobAddresses,
    plan: readonly Uint8Array[],
    owner: Hex,
    announcement?: Announcement,
  ): Promise<ReceiptSummary>;
  /** Returns the bond of a job that has ended to its owner (anyone). */
  releaseBond(id: Hex): Promise<ReceiptSummary>;
  /**
   * Publishes the model of a final record; the wallet must own the job.
   *
   * @param id - the job's identifier in the Registry
   * @param parent - the published model that it continues, if any
   */
  publish(id: Hex, record: RoundRecord, parent?: Hex): Promise<ReceiptSummary>;
  /** Says what a licence for a model costs, in the job's token; 0: none is sold. */
  setPrice(model: Hex, price: bigint, purpose: string): Promise<ReceiptSummary>;
  /** Buys a licence for `holder` at the price that the model has, which was read before. */
  buyLicence(model: PublishedModel, holder: Hex): Promise<ReceiptSummary>;
  /** Dates a data set without telling what it is. */
  sealDataset(seal: Hex): Promise<ReceiptSummary>;
  /** Tells what the wallet has sealed. */
  claimDataset(dataset: Hex, salt: Hex): Promise<ReceiptSummary>;
}

const NONE: Hex = `0x${'00'.repeat(20)}`;
const NO_PARENT: Hex = `0x${'00'.repeat(32)}`;

/** Writes to a chain's Registry through an outbox. */
export function createRegistryWriter(outbox: Outbox, registry: Registry, rpc: Rpc): RegistryWriter {
  const { abi } = loadArtifact('Registry');
  const erc20 = loadArtifact('FedToken').abi;
  const { address } = registry;
  const encode = (name: string, parameters: readonly unknown[]) => abi.encodeFunctionData(name, parameters) as Hex;
  const sendData = (name: string, key: string, data: Hex) =>
    outbox.send({ id: `${name}:${key}@${address}`, to: address, data });
  const send = (name: string, key: string, parameters: readonly unknown[]) =>
    sendData(name, key, encode(name, parameters));
  const approve = async (token: Hex, amount: bigint, purpose: string): Promise<void> => {
    const [allowance] = await callView(rpc, erc20, token, 'allowance', [outbox.address, address]);
    if (allowance >= amount) return;
    const data = erc20.encodeFunctionData('approve', [address, amount]) as Hex;
    await outbox.send({ id: `approve:${purpose}:${amount}@${address}`, to: token, data });
  };
  return {
    async register({ anchor, vault, stakes = NONE, disputes = NONE }, plan, owner, announcement) {
      await approve(registry.token, await registry.registrationBond(), `register:${anchor}`);
      const data = encode('register', [{ anchor, vault, stakes, disputes }, plan, owner]);
      return sendData('register', anchor, announcement === undefined ? data : announce(data, announcement));
    },
    releaseBond: (id) => send('releaseBond', id, [id]),
    publish: (id, record, parent = NO_PARENT) => send('publish', `${id}:${record.round}`, [id, record, parent]),
    setPrice: (model, price, purpose) => send('setPrice', `${model}:${price}:${purpose}`, [model, price]),
    async buyLicence({ model, job, price }, holder) {
      const till = (await registry.job(job))?.till ?? NONE;
      const [token] = await callView(rpc, loadArtifact('LicenceTill').abi, till, 'terms');
      await approve(token, price, `licence:${model}:${holder}`);
      return send('buyLicence', `${model}:${holder}`, [model, holder, price]);
    },
    sealDataset: (seal) => send('sealDataset', seal, [seal]),
    claimDataset: (dataset, salt) => send('claimDataset', `${dataset}:${salt}`, [dataset, salt]),
  };
}
