import { join } from 'node:path';
import { connectLedger } from '../contracts/ledger/ledger.ts';
import { createLedgerWriter } from '../contracts/ledger/ledger-writer.ts';
import { connectStakes } from '../contracts/ledger/stakes.ts';
import type { AggregationEngine } from '../shared/aggregation/engine.ts';
import { FedanchorError } from '../shared/errors.ts';
import type { RoundFunction } from '../shared/round/transition.ts';
import { wireFormat } from '../shared/wire/wire-format.ts';
import { createAnchor } from './anchor-record.ts';
import { keepCollecting } from './blobs/collector.ts';
import { createFileBlobStore } from './blobs/file-blob-store.ts';
import { createUploadStore } from './blobs/upload-store.ts';
import { createEligibility } from './court/eligibility.ts';
import { createPatientAnchor } from './court/patient-anchor.ts';
import { type CourtHost, sitInCourt } from './court/sit-in-court.ts';
import { openJobFolder } from './job-folder.ts';
import type { HostedJob } from './job-register.ts';
import { type Log, withFields } from './log.ts';
import { startJobRunner } from './runner.ts';
import { openLmdbStores } from './stores/lmdb-store.ts';
import { createStorageHealth } from './stores/storage-health.ts';
import { watchStores } from './stores/watched-stores.ts';

/** Thrown when a job's folder does not fit the chain or the coordinator's key. */
export class HostJobError extends FedanchorError<
  'coordinator/wrong-job' | 'coordinator/wrong-key' | 'coordinator/wrong-court'
> {}

/** Pause between two looks for updates whose retention is over. */
const COLLECT_EVERY_MS = 10 * 60_000;

/** What a coordinator lends to each of its jobs. */
export interface Host extends CourtHost {
  /** Walks over the updates of a round, one job's after the other's. */
  readonly engine: AggregationEngine;
  /** The round function, where it is not the one that everybody else applies. */
  readonly roundFunction?: RoundFunction;
  /** Where to tell what happens. */
  readonly log: Log;
}

/** A job that is open, and the way to close it once the host's signal has ended its loop. */
export interface OpenJob extends HostedJob {
  /** Waits for the loop and closes the job's stores. */
  close(): Promise<void>;
}

/**
 * Opens a job from its folder and takes it up wherever it was. Stores, blobs and loop are the job's own: whatever befalls
 * them touches no other job.
 *
 * @param folder - the job's folder, made by `prepareJob`
 * @throws HostJobError, JobFolderError, LedgerError, StoreError
 */
export async function hostJob(folder: string, host: Host): Promise<OpenJob> {
  const { rpc, signer, outbox, engine, now, signal } = host;
  const { terms, contracts, seeds } = await openJobFolder(folder);
  const { anchor, vault } = contracts;
  const ledger = await connectLedger({ rpc, anchor, vault, signal });
  const facts = await ledger.facts();
  if (facts.manifestHash !== terms.job) {
    throw new HostJobError(
      'coordinator/wrong-job',
      `the contract ${anchor} is for manifest ${facts.manifestHash}, the folder ${folder} holds ${terms.job}`,
      { folder },
    );
  }
  if (facts.coordinator !== signer.address) {
    throw new HostJobError(
      'coordinator/wrong-key',
      `the job's coordinator on chain is ${facts.coordinator}, the key given is that of ${signer.address}`,
      { folder },
    );
  }
  if (terms.manifest.court && (contracts.stakes !== facts.roster || contracts.disputes !== facts.arbiter)) {
    throw new HostJobError(
      'coordinator/wrong-court',
      `the contract ${anchor} answers to the court ${facts.arbiter} and its stakes at ${facts.roster}, but contracts.json in ` +
        `${folder} names ${contracts.disputes ?? 'none'} and ${contracts.stakes ?? 'none'}: correct the file`,
      { folder },
    );
  }
  const stores = openLmdbStores(join(folder, 'store'));
  try {
    const log = withFields(host.log, { job: terms.job });
    const storage = createStorageHealth({ folder, log, now, signal });
    const { events, blobs, uploads } = watchStores(
      {
        events: stores.events,
        blobs: await createFileBlobStore(join(folder, 'blobs')),
        uploads: createUploadStore(join(folder, 'uploads'), { wire: wireFormat(terms.manifest.wire) }),
      },
      storage,
    );
    const stakes = contracts.stakes === undefined ? undefined : await connectStakes({ rpc, stakes: contracts.stakes });
    const eligibility = stakes && createEligibility(stakes.participants, () => performance.now());
    const anchoring = createAnchor(createLedgerWriter(outbox, contracts), ledger, rpc);
    const runner = await startJobRunner({
      ...{ terms, seeds, signer, events, blobs, uploads, engine, storage, now, log, signal },
      monotonicMs: () => performance.now(),
      domain: { chainId: facts.chainId, anchor },
      anchor: stakes
        ? createPatientAnchor({ anchor: anchoring, stakes, ledger, facts, blobs, now, signal })
        : anchoring,
      ...(eligibility && { eligibility }),
      ...(host.roundFunction && { roundFunction: host.roundFunction }),
    });
    const { attestations, disputes, ended } = await sitInCourt({
      ...{ host, terms, contracts, facts, ledger, runner, blobs, log },
      ...(eligibility && { eligibility }),
      ...(stakes && { stakes }),
    });
    const { retentionS } = terms.manifest;
    const collecting = keepCollecting(
      { history: runner.history, blobs, ledger, retentionS, log },
      COLLECT_EVERY_MS,
      signal,
    );
    const close = async (): Promise<void> => {
      await Promise.all([runner.stopped(), collecting, ended]);
      await stores.close();
    };
    return {
      ...{ terms, anchor, vault, runner, blobs, uploads, storage, close },
      ...(attestations && { attestations }),
      ...(disputes && { disputes }),
      ...(eligibility && { eligibility }),
    };
  } catch (error) {
    await stores.close();
    throw error;
  }
}
