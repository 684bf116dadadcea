import { join } from 'node:path';
import { connectRegistry, type RegisteredJob } from '../contracts/ledger/registry.ts';
import { createRegistryWriter } from '../contracts/ledger/registry-writer.ts';
import { createOutbox } from '../contracts/outbox/outbox.ts';
import { createMemoryOutboxStore } from '../contracts/outbox/outbox-store.ts';
import { connectRpc } from '../contracts/rpc.ts';
import type { Signer } from '../contracts/wallet.ts';
import type { Hex } from '../shared/bytes.ts';
import { FedanchorError } from '../shared/errors.ts';
import { fixedPlanWords } from '../shared/round/plan.ts';
import type { CoordinatorConfig } from './config/coordinator-config.ts';
import { lockFolder } from './folder-lock.ts';
import type { JobFolder } from './job-folder.ts';
import { openLmdbStores } from './stores/lmdb-store.ts';

/** Thrown when a job cannot be registered. */
export class RegisterError extends FedanchorError<'register/not-found'> {}

/** What a job is registered with. */
export interface RegisterJobOptions {
  /** The coordinator's configuration. */
  readonly config: CoordinatorConfig;
  /** The coordinator's address. */
  readonly coordinator: Hex;
  /** Registers: the coordinator's own wallet, or the job's guardian. */
  readonly signer: Signer;
  /** The job. */
  readonly job: Pick<JobFolder, 'terms' | 'contracts'>;
  /** Address of the chain's Registry. */
  readonly registry: Hex;
  /** Who owns the registration: publishes models, gets the bond back. */
  readonly owner: Hex;
  /** Where the coordinator is, told to whoever looks for a job in the Registry; left out, nothing is said. */
  readonly coordinatorUrl?: string;
  /** Ends the wait for the chain. */
  readonly signal: AbortSignal;
}

/**
 * Enters a job into the chain's Registry, which holds it to the parameters in force now, and locks the bond that these ask
 * for. A job that is there already is left as it is.
 *
 * @returns the entry, and whether it was made now
 * @throws RegisterError, LedgerError (`ledger/reverted` names what is outside the parameters), OutboxError; FolderLockError
 *   if the signer is the coordinator's own wallet and the coordinator is running: a wallet has one sender at a time
 */
export async function registerJob(options: RegisterJobOptions): Promise<RegisteredJob & { readonly isNew: boolean }> {
  const { config, coordinator, signer, job, owner, signal } = options;
  const { folder } = config;
  const isOwn = signer.address === coordinator;
  const rpc = connectRpc({ urls: config.rpcUrls, signal });
  const registry = await connectRegistry({ rpc, registry: options.registry });
  const { anchor } = job.contracts;
  const before = await registry.jobOf(anchor);
  if (before !== undefined) return { ...before, isNew: false };
  const unlock = isOwn ? await lockFolder(folder) : async () => {};
  const stores = isOwn ? openLmdbStores(join(folder, 'store')) : undefined;
  try {
    const outbox = await createOutbox({
      ...{ rpc, wallet: signer, store: stores?.outbox ?? createMemoryOutboxStore(), signal, whenEmpty: 'throw' },
      ...(config.chainId === undefined ? {} : { chainId: config.chainId }),
      ...{ confirmations: config.confirmations },
    });
    const announcement = options.coordinatorUrl === undefined ? undefined : { coordinatorUrl: options.coordinatorUrl };
    const words = fixedPlanWords(job.terms.manifest);
    await createRegistryWriter(outbox, registry, rpc).register(job.contracts, words, owner, announcement);
  } finally {
    await stores?.close();
    await unlock();
  }
  const entry = await registry.jobOf(anchor);
  if (entry !== undefined) return { ...entry, isNew: true };
  const message = `the job was registered, but ${registry.address} does not know it: ask another node`;
  throw new RegisterError('register/not-found', message, { anchor });
}
