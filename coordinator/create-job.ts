import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { jobCourt } from '../contracts/deploy/job-court.ts';
import { deployJob } from '../contracts/deploy.ts';
import { createOutbox } from '../contracts/outbox/outbox.ts';
import { connectRpc } from '../contracts/rpc.ts';
import type { Signer } from '../contracts/wallet.ts';
import { fromHex, type Hex, toHex, utf8 } from '../shared/bytes.ts';
import { canonicalJson, type Json } from '../shared/codec.ts';
import { vectorBytes } from '../shared/commitments/vector-trees.ts';
import { writeDurably } from './blobs/files.ts';
import type { CoordinatorConfig } from './config/coordinator-config.ts';
import type { JobDraft } from './config/job-draft.ts';
import { lockFolder } from './folder-lock.ts';
import { type JobFolder, prepareJob } from './job-folder.ts';
import { holdJob } from './job-shelf.ts';
import { openLmdbStores } from './stores/lmdb-store.ts';

/** What a job is created with. */
export interface CreateJobOptions {
  /** The coordinator's configuration. */
  readonly config: CoordinatorConfig;
  /** The coordinator's address, the only one that may anchor. */
  readonly coordinator: Hex;
  /** Pays for the contracts: the coordinator's wallet, or any other. */
  readonly deployer: Signer;
  /** The job. */
  readonly draft: JobDraft;
  /** Seconds since 1970. */
  readonly nowS: () => number;
  /** Ends the wait for the chain; creating the same job again goes on from there. */
  readonly signal: AbortSignal;
}

const DAY_S = 86_400;

/**
 * Deploys a job's contracts and writes its folder, held until it is started. Interrupted at any point and repeated with
 * the same draft it goes on where it was: nothing is deployed twice.
 *
 * @throws FolderLockError if the deployer is the coordinator's own wallet and the coordinator is running: a wallet has one
 *   sender at a time
 * @throws ManifestError, RuleError, DeployError, LedgerError, OutboxError
 */
export async function createJob(options: CreateJobOptions): Promise<JobFolder> {
  const { config, coordinator, deployer, draft, nowS, signal } = options;
  const { folder } = config;
  const isOwn = deployer.address === coordinator;
  const unlock = isOwn ? await lockFolder(folder) : async () => {};
  try {
    const work = join(folder, 'drafts', draftId(draft, coordinator, deployer.address));
    await mkdir(work, { recursive: true, mode: 0o700 });
    // The contracts name the secret's commitment and an end: both must be the same when this is repeated.
    const secret = fromHex(await once(join(work, 'seed-secret'), () => toHex(randomBytes(32))), 32);
    const { endsInDays, claimDays, token, treasury, ...contractTerms } = draft.contracts;
    const ends = await once(join(work, 'ends-at'), () => String(nowS() + Math.round(endsInDays * DAY_S)));
    const prepared = prepareJob(folder, draft.manifest, draft.model, secret);
    const { manifest, job, fixedPlanHash, tensorTableRoot } = prepared.terms;
    const rpc = connectRpc({ urls: config.rpcUrls, signal });
    // The coordinator's own wallet goes on from what its running self has left.
    const stores = openLmdbStores(join(isOwn ? folder : work, 'store'));
    try {
      const outbox = await createOutbox({
        ...{ rpc, wallet: deployer, store: stores.outbox, signal, whenEmpty: 'throw' },
        ...(config.chainId === undefined ? {} : { chainId: config.chainId }),
        ...{ confirmations: config.confirmations },
      });
      const { receipts: _, ...contracts } = await deployJob({
        outbox,
        court: jobCourt(prepared.terms, rpc),
        parameters: {
          ...{ job, manifestHash: job, fixedPlanHash, tensorTableRoot, coordinator },
          genesisModelRoot: manifest.initialModelRoot,
          pricePerRound: BigInt(manifest.rewards.pricePerRound),
          maxRounds: manifest.rounds,
          windowTicks: manifest.chain.windowTicks,
          jobEndsAtS: Number(ends),
          claimPeriodS: Math.round(claimDays * DAY_S),
          ...(contractTerms.ringSize === undefined ? {} : { ringSize: contractTerms.ringSize }),
          ...(contractTerms.guardian === undefined ? {} : { guardian: contractTerms.guardian }),
          ...(contractTerms.arbiter === undefined ? {} : { arbiter: contractTerms.arbiter }),
        },
        ...(token === undefined ? {} : { token }),
        ...(treasury === undefined ? {} : { treasury }),
      });
      await mkdir(prepared.folder, { recursive: true });
      await holdJob(prepared.folder);
      const created = await prepared.commit(contracts);
      await stores.close();
      await rm(work, { recursive: true, force: true });
      return created;
    } catch (error) {
      await stores.close();
      throw error;
    }
  } finally {
    await unlock();
  }
}

/** The same for the same job, coordinator and deployer. */
function draftId({ manifest, model, contracts }: JobDraft, coordinator: Hex, deployer: Hex): string {
  const words = canonicalJson({ manifest, contracts, coordinator, deployer } as unknown as Json);
  return createHash('sha256').update(utf8(words)).update(vectorBytes(model)).digest('hex');
}

/** Reads a file, or writes it first. */
async function once(file: string, make: () => string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    await writeDurably(file, utf8(make()));
    return readFile(file, 'utf8');
  }
}
