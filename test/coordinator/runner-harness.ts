import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Signer } from '../../contracts/wallet.ts';
import type { BlobStore } from '../../coordinator/blobs/blob-store.ts';
import { createFileBlobStore } from '../../coordinator/blobs/file-blob-store.ts';
import { createUploadStore, type UploadStore } from '../../coordinator/blobs/upload-store.ts';
import type { JobEvent } from '../../coordinator/round/events.ts';
import type { Collecting, JobState } from '../../coordinator/round/state.ts';
import { type JobRunner, type RunnerOptions, startJobRunner } from '../../coordinator/runner.ts';
import type { EventStore } from '../../coordinator/stores/event-store.ts';
import { createMemoryEventStore } from '../../coordinator/stores/memory-event-store.ts';
import type { UpdateStatement } from '../../shared/commitments/contribution.ts';
import type { SignedReceipt } from '../../shared/commitments/receipt.ts';
import { type RoundRecord, recordHash } from '../../shared/commitments/record.ts';
import { vectorBytes } from '../../shared/commitments/vector-trees.ts';
import { inMemory, type RoundParent, transition } from '../../shared/round/transition.ts';
import { wireFormat } from '../../shared/wire/wire-format.ts';
import { createFileEngine } from './file-engine.ts';
import {
  COORDINATOR,
  createQuietLog,
  DOMAIN,
  hash,
  offerOf,
  signStatement,
  statementOf,
  type TestJob,
  type TestJobChoices,
  temporaryFolder,
  testJob,
  updateOf,
  WALLETS,
} from './fixture.ts';

/** What outlives a coordinator: its disk, and the chain. */
export interface World {
  readonly job: TestJob;
  readonly events: EventStore;
  readonly blobs: BlobStore;
  /** Records that the chain was given, again and again ones included. */
  readonly anchorings: RoundRecord[];
  readonly openUploads: () => UploadStore;
}

/** One coordinator process, from start to stop or crash. */
export interface Life {
  readonly runner: JobRunner;
  readonly uploads: UploadStore;
  readonly log: ReturnType<typeof createQuietLog>;
  readonly signal: AbortSignal;
  readonly stop: () => Promise<void>;
}

export async function createWorld(choices: TestJobChoices = {}, events = createMemoryEventStore()): Promise<World> {
  const job = testJob(choices);
  const folder = await temporaryFolder();
  const blobs = await createFileBlobStore(join(folder, 'blobs'));
  await blobs.put(job.terms.manifest.initialModelRoot, vectorBytes(job.model));
  const wire = wireFormat(job.terms.manifest.wire);
  return {
    job,
    events,
    blobs,
    anchorings: [],
    openUploads: () => createUploadStore(join(folder, 'uploads'), { wire }),
  };
}

/** A chain that takes every record. */
export function anchorIn({ anchorings }: World): RunnerOptions['anchor'] {
  return async (record) => {
    anchorings.push(record);
    return { transactionHash: hash(recordHash(record)), blockNumber: record.round, gasUsed: '21000' };
  };
}

export async function startLife(
  world: World,
  overrides: Partial<RunnerOptions> = {},
  controller = new AbortController(),
): Promise<Life> {
  const { signal } = controller;
  const log = createQuietLog();
  const uploads = overrides.uploads ?? world.openUploads();
  const { job, events, blobs } = world;
  const runner = await startJobRunner({
    ...{ terms: job.terms, seeds: job.seeds, domain: DOMAIN, signer: COORDINATOR, events, blobs, uploads, log, signal },
    engine: createFileEngine(),
    ...{ anchor: anchorIn(world), now: () => 1_700_000_000_000 },
    ...overrides,
  });
  const stop = async (): Promise<void> => {
    controller.abort();
    await runner.stopped();
  };
  onTestFinished(stop);
  return { runner, uploads, log, signal, stop };
}

/** Resolves when the job's state is as asked; rejects when the life ends before. */
export function until(life: Life, isReached: (state: JobState) => boolean): Promise<JobState> {
  const { runner, signal } = life;
  return new Promise((resolve, reject) => {
    const settle = (): boolean => {
      if (isReached(runner.state)) resolve(runner.state);
      else if (signal.aborted) reject(signal.reason);
      else return false;
      return true;
    };
    if (settle()) return;
    const stop = runner.subscribe(() => {
      if (settle()) stop();
    });
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** Uploads and submits one participant's update to the open round. */
export async function contribute(
  { runner, uploads }: Pick<Life, 'runner' | 'uploads'>,
  { job: { terms } }: Pick<World, 'job'>,
  signer: Signer,
  { plan }: Pick<Collecting, 'plan'> = runner.state as Collecting,
  restate: Partial<UpdateStatement> = {},
): Promise<SignedReceipt> {
  const update = updateOf(terms, signer.address, plan);
  const bytes = vectorBytes(update);
  const offer = offerOf(bytes);
  for (const part of await uploads.offer(signer.address, offer)) {
    await uploads.putPart(signer.address, offer.updateRoot, part, bytes);
  }
  const statement = { ...statementOf(terms, plan, update), ...restate };
  return runner.submit(signer.address, statement, signStatement(signer, statement));
}

const isSettled = ({ phase }: JobState): boolean => phase === 'collecting' || phase === 'closed' || phase === 'failed';

/** Has everyone join and answer every round until the job ends. */
export async function playToTheEnd(
  life: Life,
  world: World,
  order: (round: number) => readonly Signer[] = () => WALLETS,
): Promise<JobState> {
  for (const { address } of order(0)) await life.runner.join(address);
  for (;;) {
    const state = await until(life, isSettled);
    if (state.phase !== 'collecting') return state;
    for (const signer of order(state.plan.round)) await contribute(life, world, signer, state);
    await until(life, (now) => now.phase !== 'collecting' || now.plan !== state.plan);
  }
}

export async function logOf({ events }: World): Promise<JobEvent[]> {
  const log: JobEvent[] = [];
  for await (const event of events.read()) log.push(event);
  return log;
}

/** The records that follow from the same updates by the round function alone, without any coordinator. */
export async function recompute({ terms, model, seeds }: TestJob): Promise<RoundRecord[]> {
  let parent: RoundParent = { model, modelRoot: terms.manifest.initialModelRoot, serverState: null, rewards: [] };
  let updateBits = terms.manifest.initialUpdateBits;
  const records: RoundRecord[] = [];
  for (let round = 1; round <= terms.manifest.rounds; round++) {
    const plan = { round, attempt: 0, parentRoot: parent.modelRoot, updateBits, seedIndex: round };
    const admitted = WALLETS.map((signer) => {
      const update = updateOf(terms, signer.address, plan);
      const { updateRoot, samples, largestMagnitude, datasetCommitment } = statementOf(terms, plan, update);
      const signature = signStatement(signer, statementOf(terms, plan, update));
      const { address: participant } = signer;
      return {
        update,
        contribution: { participant, updateRoot, samples, largestMagnitude, datasetCommitment, signature },
      };
    });
    const revealed = { ...plan, seed: seeds[round] as `0x${string}` };
    const outcome = await transition(terms, parent, revealed, inMemory(admitted), createFileEngine());
    records.push(outcome.record);
    const { model: next, serverState, rewards } = outcome;
    parent = { model: next, modelRoot: outcome.record.modelRoot, serverState, rewards };
    // Magnitudes of about 1200 double to less than 8191 twice over.
    updateBits += 1;
  }
  return records;
}

/** Starts a job and brings it to its first open round. */
export async function collecting(world: World, overrides: Partial<RunnerOptions> = {}) {
  const life = await startLife(world, overrides);
  for (const { address } of WALLETS) await life.runner.join(address);
  return { ...life, plan: (life.runner.state as Collecting).plan };
}

/** A log that tells of its first warning of a blob that is missing or damaged. */
export function createWarning(): { readonly log: RunnerOptions['log']; readonly came: Promise<void> } {
  let warned: (() => void) | undefined;
  const came = new Promise<void>((resolve) => {
    warned = resolve;
  });
  const warn = (fields: object) => {
    if (/is missing|is damaged/.test(JSON.stringify(fields))) warned?.();
  };
  return { log: { info: () => {}, error: () => {}, warn }, came };
}
