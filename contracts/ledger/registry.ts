import type { Hex } from '../../shared/bytes.ts';
import { loadArtifact } from '../artifacts.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { ReceiptSummary } from '../outbox/outbox-store.ts';
import type { Rpc } from '../rpc.ts';
import { callView, requireCode } from './call.ts';
import type { JobAddresses } from './ledger-writer.ts';

/** A job as the Registry has it. */
export interface RegisteredJob {
  /** Its identifier there, 32 bytes. */
  readonly id: Hex;
  /** Who owns the registration, lower case. */
  readonly owner: Hex;
  /** Where money for its licences goes, lower case. */
  readonly till: Hex;
  /** Hash of its manifest. */
  readonly manifestHash: Hex;
  /** Version of the parameters that it is held to. */
  readonly paramsVersion: number;
  /** What is locked for it, in the voting token's smallest unit. */
  readonly bond: bigint;
  /** When the bond is free, in seconds since 1970. */
  readonly bondFreeAtS: number;
}

/** The read side of a chain's Registry. */
export interface Registry {
  /** Its address, lower case. */
  readonly address: Hex;
  /** The token that bonds are in, lower case. */
  readonly token: Hex;
  /** The job with this RoundAnchor; undefined where it is not registered. */
  jobOf(anchor: Hex): Promise<RegisteredJob | undefined>;
  /** What a registration locks now, in the voting token's smallest unit. */
  registrationBond(): Promise<bigint>;
}

/**
 * Connects to a chain's Registry for reading.
 *
 * @throws LedgerError `ledger/not-a-contract`, `ledger/unreachable`
 */
export async function connectRegistry({
  rpc,
  registry,
}: {
  readonly rpc: Rpc;
  readonly registry: Hex;
}): Promise<Registry> {
  const address = registry.toLowerCase() as Hex;
  const { abi } = loadArtifact('Registry');
  await requireCode(rpc, address, 'Registry');
  const [params, token] = await callView(rpc, abi, address, 'terms');
  return {
    address,
    token: token.toLowerCase() as Hex,
    async jobOf(anchor) {
      const [id] = await callView(rpc, abi, address, 'idOf', [anchor]);
      const [job] = await callView(rpc, abi, address, 'jobOf', [id]);
      if (/^0x0*$/.test(job.owner)) return undefined;
      return {
        id,
        owner: job.owner.toLowerCase() as Hex,
        till: job.till.toLowerCase() as Hex,
        manifestHash: job.manifestHash,
        paramsVersion: Number(job.paramsVersion),
        bond: job.bond,
        bondFreeAtS: Number(job.bondFreeAt),
      };
    },
    async registrationBond() {
      const [, values] = await callView(rpc, loadArtifact('Params').abi, params, 'current');
      return values.registrationBond;
    },
  };
}

/** The write side of a chain's Registry; each method throws what {@link Outbox.send} throws. */
export interface RegistryWriter {
  /**
   * Registers a job, whose coordinator or guardian the wallet must be, and locks a bond.
   *
   * @param plan - the words behind the job's fixed plan hash, 32 bytes each
   */
  register(job: JobAddresses, plan: readonly Uint8Array[], owner: Hex): Promise<ReceiptSummary>;
  /** Returns the bond of a job that has ended to its owner (anyone). */
  releaseBond(id: Hex): Promise<ReceiptSummary>;
}

const NONE: Hex = `0x${'00'.repeat(20)}`;

/** Writes to a chain's Registry through an outbox. */
export function createRegistryWriter(outbox: Outbox, registry: Registry): RegistryWriter {
  const { abi } = loadArtifact('Registry');
  const send = (name: string, key: Hex, parameters: readonly unknown[]) =>
    outbox.send({
      id: `${name}:${key}@${registry.address}`,
      to: registry.address,
      data: abi.encodeFunctionData(name, parameters) as Hex,
    });
  return {
    async register({ anchor, vault, stakes = NONE, disputes = NONE }, plan, owner) {
      const bond = await registry.registrationBond();
      if (bond > 0n) {
        const data = loadArtifact('FedToken').abi.encodeFunctionData('approve', [registry.address, bond]) as Hex;
        await outbox.send({ id: `approve:register:${anchor}:${bond}@${registry.address}`, to: registry.token, data });
      }
      return send('register', anchor, [{ anchor, vault, stakes, disputes }, plan, owner]);
    },
    releaseBond: (id) => send('releaseBond', id, [id]),
  };
}
