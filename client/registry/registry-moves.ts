import { connectLedger } from '../../contracts/ledger/ledger.ts';
import { modelId, type RegisteredJob } from '../../contracts/ledger/registry.ts';
import type { Hex } from '../../shared/bytes.ts';
import { datasetSeal, keepSalt, readSalt } from './dataset-seal.ts';
import { type OpenRegistry, type PlaceOptions, withRegistry } from './open-registry.ts';
import { RegistryError } from './registry-error.ts';

/** What a command has to say: for programs, and for people. */
export interface Told {
  /** For programs. */
  readonly document: object;
  /** For people. */
  readonly lines: readonly string[];
}

/** With which wallet, on which Registry. */
export interface MoveOptions extends PlaceOptions {
  /** Nodes of the chain. */
  readonly rpc: readonly string[];
  /** File with the wallet's key; default the environment's. */
  readonly keyFile?: string;
}

/**
 * Publishes the model of a round that is final.
 *
 * @throws RegistryError `registry/unknown`, `registry/not-anchored`; LedgerError `ledger/reverted`, whose `errorName` says
 *   what the contract refuses: a record that is not final, another owner, a lineage that is not one
 */
export function publishModel(
  options: MoveOptions & { readonly job: Hex; readonly round: number; readonly parent?: Hex },
): Promise<Told> {
  const { job: anchor, round, parent } = options;
  return withRegistry(options, async (open) => {
    const { id } = await requireJob(open, anchor);
    const records = await (await connectLedger({ rpc: open.rpc, anchor })).records();
    const record = records[round - 1]?.record;
    if (record === undefined) {
      const message = `round ${round} of ${anchor} is not anchored: it has ${records.length} rounds`;
      throw new RegistryError('registry/not-anchored', message, { anchor, round, rounds: records.length });
    }
    const { transactionHash } = await open.writer.publish(id, record, parent);
    const model = modelId(id, round);
    return {
      document: { model, job: id, round, modelRoot: record.modelRoot, transactionHash },
      lines: [`the model of round ${round} is published as ${model}`],
    };
  });
}

/** Says what a licence costs. @throws RegistryError `registry/unknown`; LedgerError `ledger/reverted` */
export function setPrice(options: MoveOptions & { readonly model: Hex; readonly price: bigint }): Promise<Told> {
  const { model, price } = options;
  return withRegistry(options, async ({ writer, registry }) => {
    await requireModel(registry, model);
    const { transactionHash } = await writer.setPrice(model, price, 'now');
    const words =
      price === 0n ? `no licence is sold for ${model}` : `a licence for ${model} costs ${price} from now on`;
    return { document: { model, price, transactionHash }, lines: [words] };
  });
}

/** Buys a licence. @throws RegistryError `registry/unknown`, `registry/not-for-sale`; LedgerError `ledger/reverted` */
export function buyLicence(
  options: MoveOptions & { readonly model: Hex; readonly holder?: Hex; readonly most: bigint },
): Promise<Told> {
  const { model: id, most } = options;
  return withRegistry(options, async ({ writer, registry, account }) => {
    const model = await requireModel(registry, id);
    const { price } = model;
    if (price === 0n || price > most) {
      const message =
        price === 0n ? `no licence is sold for ${id}` : `a licence for ${id} costs ${price}, more than --most ${most}`;
      throw new RegistryError('registry/not-for-sale', message, { model: id, price: String(price) });
    }
    const holder = options.holder ?? account;
    const { transactionHash } = await writer.buyLicence(model, holder);
    return {
      document: { model: id, holder, price, transactionHash },
      lines: [`${holder} may use ${id}, for ${price}`],
    };
  });
}

/** Returns a bond that is free. @throws RegistryError `registry/unknown`; LedgerError `ledger/reverted` */
export function releaseBond(options: MoveOptions & { readonly job: Hex }): Promise<Told> {
  return withRegistry(options, async (open) => {
    const { id, bond, owner } = await requireJob(open, options.job);
    const { transactionHash } = await open.writer.releaseBond(id);
    return { document: { job: id, bond, owner, transactionHash }, lines: [`${bond} are returned to ${owner}`] };
  });
}

/** Seals a data set. @throws RegistryError `registry/bad-salt` */
export function sealDataset(
  options: MoveOptions & { readonly dataset: Hex; readonly saltFile: string },
): Promise<Told> {
  const { dataset, saltFile } = options;
  return withRegistry(options, async ({ writer, account }) => {
    const seal = datasetSeal(account, dataset, await keepSalt(saltFile));
    const { transactionHash } = await writer.sealDataset(seal);
    return {
      document: { seal, account, saltFile, transactionHash },
      lines: [`sealed as ${seal}: keep ${saltFile}, with which alone it can be claimed`],
    };
  });
}

/** Claims a data set. @throws RegistryError `registry/bad-salt`; LedgerError `ledger/reverted` (RegistryNotFirst) */
export function claimDataset(
  options: MoveOptions & { readonly dataset: Hex; readonly saltFile: string },
): Promise<Told> {
  const { dataset, saltFile } = options;
  return withRegistry(options, async ({ writer, registry }) => {
    const { transactionHash } = await writer.claimDataset(dataset, await readSalt(saltFile));
    const owner = await registry.datasetOf(dataset);
    return { document: { dataset, ...owner, transactionHash }, lines: [`${dataset} is ${owner?.account}'s`] };
  });
}

async function requireJob({ registry }: OpenRegistry, anchor: Hex): Promise<RegisteredJob> {
  const job = await registry.jobOf(anchor);
  if (job !== undefined) return job;
  const message = `the job at ${anchor} is not registered in ${registry.address}: "fedanchor job register" enters it`;
  throw new RegistryError('registry/unknown', message, { anchor });
}

async function requireModel(registry: OpenRegistry['registry'], id: Hex) {
  const model = await registry.model(id);
  if (model !== undefined) return model;
  const message = `the registry ${registry.address} knows no model ${id}: "fedanchor registry models" tells what there is`;
  throw new RegistryError('registry/unknown', message, { model: id });
}
