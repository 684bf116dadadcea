import { join } from 'node:path';
import { connectLedger } from '../contracts/ledger/ledger.ts';
import { createLedgerWriter } from '../contracts/ledger/ledger-writer.ts';
import { createOutbox } from '../contracts/outbox/outbox.ts';
import { connectRpc } from '../contracts/rpc.ts';
import type { Signer } from '../contracts/wallet.ts';
import type { Hex } from '../shared/bytes.ts';
import { FedanchorError } from '../shared/errors.ts';
import type { Role } from '../shared/protocol/messages.ts';
import { usePlatformHashing } from '../shared/runtime/platform-hashing.ts';
import { createFileBlobStore } from './blobs/file-blob-store.ts';
import { createUploadStore } from './blobs/upload-store.ts';
import { createBulkServer } from './http/bulk-routes.ts';
import { openJobFolder } from './job-folder.ts';
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
 * @throws JobFolderError, LedgerError, StoreError
 */
export async function startCoordinator(options: CoordinatorOptions): Promise<Coordinator> {
  const { folder, rpcUrl, signer, operators, host, port, log } = options;
  usePlatformHashing();
  const { terms, contracts, seeds } = await openJobFolder(folder);
  const lifetime = new AbortController();
  const { signal } = lifetime;
  const now = (): number => Date.now();

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

  const stores = openLmdbStores(join(folder, 'store'));
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
  await bulk.ready();
  const control = createSocketServer({ http: bulk.server, handlers, sessions, job, runner, log, now });
  let url: string;
  try {
    url = await bulk.listen({ host, port });
  } catch (cause) {
    lifetime.abort();
    await stores.close();
    throw (cause as NodeJS.ErrnoException).code === 'EADDRINUSE'
      ? new CoordinatorError('coordinator/port-taken', `port ${port} is taken: choose another with --port`, { port })
      : new CoordinatorError(
          'coordinator/cannot-listen',
          `cannot listen on ${host}:${port}: ${String(cause)}`,
          {},
          cause,
        );
  }
  log.info({ url, job, anchor: contracts.anchor, phase: runner.state.phase }, 'coordinator listening');

  return {
    url,
    [Symbol.asyncDispose]: async () => {
      lifetime.abort();
      await control.close();
      await bulk.close();
      await runner.stopped();
      await stores.close();
    },
  };
}
