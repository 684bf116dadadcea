import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { OutboxNotice } from '../contracts/outbox/notices.ts';
import { createOutbox } from '../contracts/outbox/outbox.ts';
import { connectRpc } from '../contracts/rpc.ts';
import type { Signer } from '../contracts/wallet.ts';
import type { AggregationEngine } from '../shared/aggregation/engine.ts';
import type { Hex } from '../shared/bytes.ts';
import { FedanchorError } from '../shared/errors.ts';
import type { RoundFunction } from '../shared/round/transition.ts';
import { createEngine } from '../shared/runtime/engine/create-engine.ts';
import { usePlatformHashing } from '../shared/runtime/platform-hashing.ts';
import { openUpdateBlocks } from '../shared/runtime/update-blocks.ts';
import { tellNotice } from './chain-notices.ts';
import type { MetricsAccess } from './config/coordinator-config.ts';
import { lockFolder } from './folder-lock.ts';
import type { Host } from './host-job.ts';
import { createBulkServer } from './http/bulk-routes.ts';
import { createJobRegister } from './job-register.ts';
import { createJobShelf } from './job-shelf.ts';
import type { Log } from './log.ts';
import { createChainCounts, createCoordinatorMetrics } from './metrics/coordinator-metrics.ts';
import { addOperatorRoutes } from './metrics/operator-routes.ts';
import { type Network, type NetworkOptions, openNetwork } from './network.ts';
import { openAuditLog } from './operator/audit-log.ts';
import { AUDIT_FILE, writeEndpoint } from './operator/endpoint-file.ts';
import { createOperatorDesk } from './operator/operator-desk.ts';
import { createReadiness } from './operator/readiness.ts';
import { createSessions } from './sessions.ts';
import { openLmdbStores } from './stores/lmdb-store.ts';
import { createControlHandlers } from './transports/control-handlers.ts';
import { createSocketServer } from './transports/socket-server.ts';

/** Thrown when a coordinator cannot start. */
export class CoordinatorError extends FedanchorError<'coordinator/port-taken' | 'coordinator/cannot-listen'> {}

/** What a coordinator is started with. */
export interface CoordinatorOptions {
  /** The coordinator's folder; each folder in its `jobs` was made by `prepareJob`. */
  readonly folder: string;
  /** Node of the chain; or several, the preferred one first. */
  readonly rpcUrl: string | readonly string[];
  /** The chain it must be (EIP-155); left out, whatever the node serves. */
  readonly chainId?: bigint;
  /** Blocks that must hold a transaction, or the chain's own finality; default 1. */
  readonly confirmations?: number | 'finalized';
  /** Pause between two looks at what the chain decides about a job with a court, in milliseconds; default 2,000. */
  readonly courtPollMs?: number;
  /** Ceiling on the price of a unit of gas, in wei; default the sender's own. */
  readonly maxFeePerGasWei?: bigint;
  /** Who may read `/metrics`; default programs on this machine. */
  readonly metricsAccess?: MetricsAccess;
  /** The coordinator's wallet. */
  readonly signer: Signer;
  /** Further addresses that may act as operators, lower case. */
  readonly operators: readonly Hex[];
  /** Address to listen on. */
  readonly host: string;
  /** Port to listen on, 0 for any free one. */
  readonly port: number;
  /** TLS, limits and proxies; default plaintext on this machine. */
  readonly network?: NetworkOptions;
  /** Computes aggregations; default one of WebAssembly kernels, made and closed here. */
  readonly engine?: AggregationEngine;
  /** The round function, where it is not the one that everybody else applies: how simulated coordinators lie. */
  readonly roundFunction?: RoundFunction;
  /** Where to tell what happens. */
  readonly log: Log;
}

/** A running coordinator. */
export interface Coordinator {
  /** Where clients reach it. */
  readonly url: string;
  /** Stops in order: no new requests, the loops end, stores are closed. What was in progress is taken up again later. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What has been opened, to be closed in reverse order. */
type Closing = (() => Promise<unknown>)[];

/**
 * Starts a coordinator on its folder: every job in it, from the beginning or from wherever it was when the coordinator
 * stopped or was killed. A job that cannot be opened is logged and left alone; the others are served.
 *
 * @throws CoordinatorError `coordinator/port-taken`, `coordinator/cannot-listen`
 * @throws FolderLockError, LedgerError, StoreError, CertificateError, ExposureError, NetworkLimitsError, PeersError
 */
export async function startCoordinator(options: CoordinatorOptions): Promise<Coordinator> {
  usePlatformHashing();
  const network = await openNetwork(options.network ?? {}, options.host, Date.now);
  const lifetime = new AbortController();
  // Every job listens to it, of which there may be any number.
  setMaxListeners(0, lifetime.signal);
  const closing: Closing = [await lockFolder(options.folder)];
  const stop = async (): Promise<void> => {
    lifetime.abort();
    for (const close of closing.reverse()) await close();
  };
  try {
    const opened = await openJobs(options, closing, lifetime.signal);
    const url = await serve(options, opened, network, closing);
    const { chainId } = opened;
    const endpoint = { url, coordinator: options.signer.address, chainId: String(chainId), pid: process.pid };
    closing.push(await writeEndpoint(options.folder, endpoint));
    return { url, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Opens the coordinator's way to the chain and every job in its folder. */
async function openJobs(options: CoordinatorOptions, closing: Closing, signal: AbortSignal) {
  const { folder, rpcUrl, chainId, confirmations, courtPollMs, maxFeePerGasWei, signer, log } = options;
  const audit = await openAuditLog(join(folder, AUDIT_FILE));
  const stores = openLmdbStores(join(folder, 'store'));
  closing.push(stores.close);
  const counts = createChainCounts();
  const onNotice = (notice: OutboxNotice): void => {
    counts.take(notice);
    tellNotice(log, notice);
  };
  const expected = chainId === undefined ? {} : { chainId };
  const urls = typeof rpcUrl === 'string' ? [rpcUrl] : rpcUrl;
  const rpc = connectRpc({ urls, ...expected, onNotice, signal });
  const outbox = await createOutbox({
    ...{ rpc, wallet: signer, store: stores.outbox, ...expected, onNotice, signal },
    ...(confirmations === undefined ? {} : { confirmations }),
    ...(maxFeePerGasWei === undefined ? {} : { maxFeePerGasWei }),
  });
  const engine = options.engine ?? createEngine();
  closing.push(engine.close);
  const host: Host = {
    ...{ rpc, signer, outbox, engine, openUpdates: openUpdateBlocks, now: () => Date.now(), log, signal },
    ...(confirmations === undefined ? {} : { confirmations }),
    ...(courtPollMs === undefined ? {} : { courtPollMs }),
    ...(options.roundFunction && { roundFunction: options.roundFunction }),
  };
  const jobs = createJobRegister();
  const shelf = createJobShelf(folder, host, jobs);
  closing.push(shelf.close);
  const [problem] = await shelf.openAll();
  // With nothing to serve, a sentence now is of more use than a coordinator that waits.
  if (jobs.all.length === 0 && problem) throw problem;
  if (jobs.all.length === 0) log.info({ folder }, 'there is no job yet: "job create" makes one, "job start" starts it');
  return { host, jobs, shelf, audit, counts, chainId: outbox.chainId };
}

/** Serves both planes. */
async function serve(
  { folder, signer, operators, host: address, port, metricsAccess = 'loopback' }: CoordinatorOptions,
  { host, jobs, shelf, audit, counts, chainId }: Awaited<ReturnType<typeof openJobs>>,
  { guard, certificate, protect }: Network,
  closing: Closing,
): Promise<string> {
  const { log, now, rpc, outbox } = host;
  const sessions = createSessions(chainId, signer.address);
  const desk = createOperatorDesk({ jobs, sessions, now, shelf, audit });
  const bulk = createBulkServer({ jobs, sessions, guard, certificate, log });
  const readiness = createReadiness({ folder, rpc, jobs, unavailable: shelf.unavailable, now });
  const metrics = createCoordinatorMetrics({ jobs, desk, outbox }, counts);
  addOperatorRoutes(bulk, { readiness, metrics, access: metricsAccess });
  closing.push(() => bulk.close());
  const handlers = createControlHandlers({
    jobs,
    chainId,
    coordinator: signer.address,
    operators,
    sessions,
    now,
    desk,
  });
  await bulk.ready();
  const unprotect = protect(bulk.server, log);
  const control = createSocketServer({ http: bulk.server, handlers, sessions, jobs, guard, log, now });
  closing.push(() => control.close());
  closing.push(async () => unprotect());
  const url = await listen(bulk, address, port);
  log.info({ url, jobs: jobs.all.length }, 'coordinator listening');
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
