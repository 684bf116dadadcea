import type { Hex } from '../../shared/bytes.ts';
import { encodeManifest, type Manifest, manifestHash } from '../../shared/round/manifest.ts';
import { openLabelledRecords } from '../data/labelled-records.ts';
import { CLASSIFICATION, parseClassification } from '../tasks/classification.ts';
import type { LocalTrainer } from '../tasks/local-trainer.ts';
import { createManifestTrainer, type TrainingMachine } from '../tasks/manifest-trainer.ts';
import { NEXT_CHARACTER, openTaskText } from '../tasks/next-character.ts';
import type { TrainingData } from '../trainers/training-data.ts';
import { fetchPublished, type PublishedPlaces } from './fetch-published.ts';
import { PublicDataError } from './public-data-error.ts';
import { publicSeed, publishedCommitment, shardOf, splitPublished } from './published-source.ts';
import { shardData } from './shard-data.ts';

/** For whom, and with what, published data are trained on. */
export interface PublishedOptions extends TrainingMachine {
  /** Whose shard and seed they are, lower case. */
  readonly participant: Hex;
  /** Where the files may be had. */
  readonly places: PublishedPlaces;
  /** Told once what was chosen, for people. */
  readonly onReady?: (facts: Readonly<Record<string, unknown>>) => void;
}

/** A trainer whose random choices follow from what everyone knows. */
export interface PublishedTrainer extends LocalTrainer {
  /** The client's seed in this job. */
  readonly seed: Uint8Array;
}

/**
 * Makes the trainer of a job that publishes its data: fetches the files, takes the participant's shard, and, in an exact
 * job, trains on WASM whatever the machine has.
 *
 * @throws PublicDataError; TaskError, DataError, TrainerError as with data of one's own
 */
export async function createPublishedTrainer(
  manifest: Manifest,
  options: PublishedOptions,
  signal?: AbortSignal,
): Promise<PublishedTrainer> {
  const { participant, places, onReady, ...machine } = options;
  const { source, inner } = splitPublished(manifest);
  if (source.exact) requireExact(manifest);
  const job = manifestHash(encodeManifest(manifest));
  const folder = await fetchPublished(source, job.slice(2), { ...places, signal });
  const data = await openData(inner, folder);
  const shard = shardOf(manifest, job, participant, source.shards);
  const trainer = await createManifestTrainer(
    inner,
    shardOrClose(data, () => shardData(data, shard, source.shards)),
    source.exact ? { backend: 'wasm' } : machine,
  );
  const { backend } = trainer;
  onReady?.({ shard, shards: source.shards, exact: source.exact, backend: backend.name, why: backend.reason });
  return { trainer, datasetCommitment: publishedCommitment(source, shard), seed: publicSeed(job, participant) };
}

/** What is carried from round to round is the client's own: nobody else could repeat a round without it. */
function requireExact({ task, wire }: Manifest): void {
  const { training } = task;
  const momentum = (training as { workerMomentum?: unknown } | null)?.workerMomentum ?? 0;
  const field =
    wire?.errorFeedback === true ? 'wire.errorFeedback' : momentum === 0 ? undefined : 'task.training.workerMomentum';
  if (field === undefined) return;
  const message = `manifest field "${field}" carries something from round to round, so that no round can be repeated by itself: leave it out, or set task.data.source.exact to false`;
  throw new PublicDataError('public-data/not-exact', message, { field });
}

function openData(inner: Manifest, folder: string): Promise<TrainingData> {
  const { kind } = inner.task;
  if (kind === CLASSIFICATION) return openLabelledRecords([folder], parseClassification(inner));
  if (kind === NEXT_CHARACTER) return openTaskText(inner, [folder]);
  const message = `the job publishes data for tasks of kind "${kind}", which only trainers of their own can read: a job of this kind has its participants bring their data`;
  throw new PublicDataError('public-data/wrong-task', message, { kind });
}

function shardOrClose(data: TrainingData, work: () => TrainingData): TrainingData {
  try {
    return work();
  } catch (error) {
    data.close?.();
    throw error;
  }
}
