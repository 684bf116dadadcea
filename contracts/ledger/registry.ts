import { keccak_256 } from '@noble/hashes/sha3.js';
import { concatBytes, fromHex, type Hex, toHex, word } from '../../shared/bytes.ts';
import { loadArtifact } from '../artifacts.ts';
import type { Rpc } from '../rpc.ts';
import { callView, requireCode } from './call.ts';

/** A job as the Registry has it. */
export interface RegisteredJob {
  /** Its identifier there, 32 bytes. */
  readonly id: Hex;
  /** Its RoundAnchor, lower case. */
  readonly anchor: Hex;
  /** Its RewardVault, lower case. */
  readonly vault: Hex;
  /** Its StakeManager, lower case; there is one where it has a court. */
  readonly stakes?: Hex;
  /** Its Disputes, lower case; there is one where it has a court. */
  readonly disputes?: Hex;
  /** Who owns the registration, lower case. */
  readonly owner: Hex;
  /** Where money for its licences goes, lower case. */
  readonly till: Hex;
  /** Hash of its manifest. */
  readonly manifestHash: Hex;
  /** keccak256 of the name of its rule. */
  readonly rule: Hex;
  /** Upper bound of the rewards of one round, in its token's smallest unit. */
  readonly pricePerRound: bigint;
  /** Its challenge window, in seconds. */
  readonly windowS: number;
  /** When it was registered, in seconds since 1970. */
  readonly registeredAtS: number;
  /** Version of the parameters that it is held to. */
  readonly paramsVersion: number;
  /** What is locked for it, in the voting token's smallest unit. */
  readonly bond: bigint;
  /** When the bond is free, in seconds since 1970. */
  readonly bondFreeAtS: number;
}

/** A model as the Registry has it. */
export interface PublishedModel {
  /** Its identifier there, keccak256 of its job's identifier and its round. */
  readonly model: Hex;
  /** The job it is from: its identifier in the Registry. */
  readonly job: Hex;
  /** The round it is from. */
  readonly round: number;
  /** Its root, as recorded. */
  readonly modelRoot: Hex;
  /** Hash of the record it is from. */
  readonly recordHash: Hex;
  /** The published model that it continues, where there is one. */
  readonly parent?: Hex;
  /** When it was published, in seconds since 1970. */
  readonly publishedAtS: number;
  /** What a licence costs, in the job's token; 0 where none is sold. */
  readonly price: bigint;
}

/** Whose a data set is, as far as it was sealed. */
export interface DatasetOwner {
  /** Who sealed it first, lower case. */
  readonly account: Hex;
  /** Since when, in seconds since 1970. */
  readonly sinceS: number;
}

/** The read side of a chain's Registry. */
export interface Registry {
  /** Its address, lower case. */
  readonly address: Hex;
  /** The token that bonds are in, lower case. */
  readonly token: Hex;
  /** The job with this RoundAnchor; undefined where it is not registered. */
  jobOf(anchor: Hex): Promise<RegisteredJob | undefined>;
  /** The job with this identifier; undefined where there is none. */
  job(id: Hex): Promise<RegisteredJob | undefined>;
  /** The model with this identifier; undefined where it is not published. */
  model(id: Hex): Promise<PublishedModel | undefined>;
  /** Whether an account has a licence for a model. */
  isLicensed(model: Hex, account: Hex): Promise<boolean>;
  /** Whose a data set is; undefined where nobody has claimed it. */
  datasetOf(dataset: Hex): Promise<DatasetOwner | undefined>;
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
  const address = lower(registry);
  const { abi } = loadArtifact('Registry');
  await requireCode(rpc, address, 'Registry');
  const view = (name: string, ...parameters: unknown[]) => callView(rpc, abi, address, name, parameters);
  const [params, token] = await view('terms');
  const jobWith = async (id: Hex): Promise<RegisteredJob | undefined> => jobFrom(id, (await view('jobOf', id))[0]);
  return {
    address,
    token: lower(token),
    jobOf: async (anchor) => jobWith((await view('idOf', anchor))[0]),
    job: jobWith,
    async model(id) {
      const [model] = await view('modelOf', id);
      if (model.publishedAt === 0n) return undefined;
      return {
        ...{ model: id, job: model.id, round: Number(model.round), modelRoot: model.modelRoot },
        recordHash: model.recordHash,
        ...(isZero(model.parent) ? {} : { parent: model.parent as Hex }),
        ...{ publishedAtS: Number(model.publishedAt), price: model.price },
      };
    },
    isLicensed: async (model, account) => (await view('isLicensed', model, account))[0],
    async datasetOf(dataset) {
      const [account, since] = await view('datasetOf', dataset);
      return isZero(account) ? undefined : { account: lower(account), sinceS: Number(since) };
    },
    async registrationBond() {
      const [, values] = await callView(rpc, loadArtifact('Params').abi, params, 'current');
      return values.registrationBond;
    },
  };
}

/** A model's identifier in the Registry: keccak256(abi.encode(job, round)), from its job's identifier there and its round. */
export function modelId(job: Hex, round: number): Hex {
  return toHex(keccak_256(concatBytes(fromHex(job, 32), word(round))));
}

/** The contract's struct as ethers gives it. */
interface JobStruct {
  readonly contracts: Readonly<Record<'anchor' | 'vault' | 'stakes' | 'disputes', string>>;
  readonly till: string;
  readonly owner: string;
  readonly registeredAt: bigint;
  readonly paramsVersion: bigint;
  readonly manifestHash: Hex;
  readonly rule: Hex;
  readonly pricePerRound: bigint;
  readonly windowS: bigint;
  readonly bond: bigint;
  readonly bondFreeAt: bigint;
}

function jobFrom(id: Hex, job: JobStruct): RegisteredJob | undefined {
  const { contracts, owner, till, manifestHash, rule, pricePerRound, bond } = job;
  if (isZero(owner)) return undefined;
  return {
    ...{ id, anchor: lower(contracts.anchor), vault: lower(contracts.vault) },
    ...(isZero(contracts.stakes) ? {} : { stakes: lower(contracts.stakes) }),
    ...(isZero(contracts.disputes) ? {} : { disputes: lower(contracts.disputes) }),
    ...{ owner: lower(owner), till: lower(till), manifestHash, rule, pricePerRound, bond },
    ...{ windowS: Number(job.windowS), registeredAtS: Number(job.registeredAt) },
    ...{ paramsVersion: Number(job.paramsVersion), bondFreeAtS: Number(job.bondFreeAt) },
  };
}

function isZero(word: string): boolean {
  return /^0x0*$/.test(word);
}

function lower(address: string): Hex {
  return address.toLowerCase() as Hex;
}
