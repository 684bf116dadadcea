import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { JobFacts } from '../contracts/ledger/facts.ts';
import { connectLedger } from '../contracts/ledger/ledger.ts';
import { createLedgerWriter } from '../contracts/ledger/ledger-writer.ts';
import { createOutbox } from '../contracts/outbox/outbox.ts';
import { connectRpc, type Rpc } from '../contracts/rpc.ts';
import type { Signer } from '../contracts/wallet.ts';
import type { Hex } from '../shared/bytes.ts';
import { FedanchorError } from '../shared/errors.ts';
import type { Role } from '../shared/protocol/messages.ts';
import { usePlatformHashing } from '../shared/runtime/platform-hashing.ts';
import { createFileBlobStore } from './blobs/file-blob-store.ts';
import { createUploadStore } from './blobs/upload-store.ts';
import { lockFolder } from './folder-lock.ts';
import { createBulkServer } from './http/bulk-routes.ts';
import { type JobFolder, openJobFolder } from './job-folder.ts';
import type { Log } from './log.ts';
import { startJobRunner } from './runner.ts';
import { createSessions } from './sessions.ts';
import { openLmdbStores } from './stores/lmdb-store.ts';
import { createControlHandlers } from './transports/control-handlers.ts';
import { createSocketServer } from './transports/socket-server.ts';

/** Thrown when a coordinator cannot start. */
export class CoordinatorError extends FedanchorError<
  'coordinator/port-taken' | 'coordinator/cannot-listen' | 'coordinator/wrong-job' | 'coordinator/wrong-key'
> {}

/** What a coordinator is started with. */
export interface CoordinatorOptions {
  /** Folder of the job, made by `prepareJob`. */
  readonly folder: string;
  /** Node of the chain. */
  readonly rpcUrl: string;
  /** The coordinator's wallet. */
  readonly signer: Signer;
  /** Further addresses that may watch as operators, lower case. */
  readonly operators: readonly Hex[];
  /** Address to listen on. */
  readonly host: string;
  /** Port to listen on, 0 for any free one. */
  readonly port: number;
  /** Where to tell what happens. */
  readonly log: Log;
}

/** A running coordinator. */
export interface Coordinator {
  /** Where clients reach it. */
  readonly url: string;
  /** Stops in order: no new requests, the loop ends, stores are closed. What was in progress is taken up again later. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts a coordinator on a job's folder, from the beginning or from wherever it was when it stopped or was killed.
 *
 * @throws CoordinatorError `coordinator/port-taken`, `coordinator/wrong-job`, `coordinator/wrong-key`
 * @throws JobFolderError, FolderLockError, LedgerError, StoreError
 */
export async function startCoordinator(options: CoordinatorOptions): Promise<Coordinator> {
  const { folder, rpcUrl, signer } = options;
  usePlatformHashing();
  const { terms, contracts, seeds } = await openJobFolder(folder);
  const lifetime = new AbortController();
  const { signal } = lifetime;
  const rpc = connectRpc({ url: rpcUrl, signal });
  const ledger = await connectLedger({ rpc, anchor: contracts.anchor, vault: contracts.vault, signal });
  const facts = await ledger.facts();
  if (facts.manifestHash !== terms.job) {
    throw new CoordinatorError(
      'coordinator/wrong-job',
      `the contract ${contracts.anchor} is for manifest ${facts.manifestHash}, the folder ${folder} holds ${terms.job}`,
    );
  }
  if (facts.coordinator !== signer.address) {
    throw new CoordinatorError(
      'coordinator/wrong-key',
      `the job's coordinator on chain is ${facts.coordinator}, the key given is that of ${signer.address}`,
    );
  }

  const unlock = await lockFolder(folder);
  const close: (() => Promise<unknown>)[] = [unlock];
  const stop = async (): Promise<void> => {
    lifetime.abort();
    for (const release of close.reverse()) await release();
  };
  try {
    return {
      url: await serve(options, { terms, contracts, seeds, facts, rpc }, close, signal),
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What is known of the job before anything of it is opened. */
interface KnownJob extends Pick<JobFolder, 'terms' | 'contracts' | 'seeds'> {
  readonly facts: JobFacts;
  readonly rpc: Rpc;
}

/**
 * Opens stores, loop and servers in this order, noting after each how to close it.
 *
 * @returns where clients reach it
 */
async function serve(
  { folder, signer, operators, host, port, log }: CoordinatorOptions,
  { terms, contracts, seeds, facts, rpc }: KnownJob,
  close: (() => Promise<unknown>)[],
  signal: AbortSignal,
): Promise<string> {
  const now = (): number => Date.now();
  const stores = openLmdbStores(join(folder, 'store'));
  close.push(stores.close);
  const blobs = await createFileBlobStore(join(folder, 'blobs'));
  const uploads = createUploadStore(join(folder, 'uploads'));
  const outbox = await createOutbox({ rpc, wallet: signer, store: stores.outbox, chainId: facts.chainId, signal });
  const writer = createLedgerWriter(outbox, contracts);
  const domain = { chainId: facts.chainId, anchor: contracts.anchor };
  const runner = await startJobRunner({
    terms,
    domain,
    seeds,
    signer,
    events: stores.events,
    blobs,
    uploads,
    anchor: async (record) => {
      const { transactionHash, blockNumber, gasUsed } = await writer.anchor(record);
      return { transactionHash, blockNumber, gasUsed: String(gasUsed) };
    },
    now,
    log,
    signal,
  });
  close.push(runner.stopped);

  const { admission } = terms.manifest.participation;
  const sessions = createSessions({
    domain,
    coordinator: signer.address,
    mayBe: (address: Hex, role: Role) =>
      role === 'operator'
        ? address === signer.address || operators.includes(address)
        : admission === 'open' || admission.includes(address),
  });
  const { job } = terms;
  const openBlobs = terms.manifest.disclosure === 'public';
  const bulk = createBulkServer({ job, blobs, uploads, sessions, openBlobs, log });
  const handlers = createControlHandlers({
    job,
    layout: terms.layout,
    chainId: facts.chainId,
    anchor: contracts.anchor,
    coordinator: signer.address,
    runner,
    sessions,
    uploads,
    now,
  });
  close.push(() => bulk.close());
  await bulk.ready();
  const control = createSocketServer({ http: bulk.server, handlers, sessions, job, runner, log, now });
  close.push(() => control.close());
  const url = await listen(bulk, host, port);
  log.info({ url, job, anchor: contracts.anchor, phase: runner.state.phase }, 'coordinator listening');
  return url;
}

async function listen(bulk: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    return await bulk.listen({ host, port });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EADDRINUSE') {
      throw new CoordinatorError('coordinator/port-taken', `port ${port} is taken: choose another with --port`, {
        port,
      });
    }
    const sentence = `cannot listen on ${host}:${port}: ${(cause as Error).message}`;
    throw new CoordinatorError('coordinator/cannot-listen', sentence, { host, port }, cause);
  }
}
