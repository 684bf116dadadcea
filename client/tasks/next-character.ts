import { z } from 'zod';
import type { Manifest } from '../../shared/round/manifest.ts';
import { type CommittedRecords, commitRecords } from '../data/dataset-commitment.ts';
import { type CorpusOptions, openCorpus, type TextCorpus } from '../data/text-corpus.ts';
import type { TextKind } from '../data/text-folder.ts';
import { saltFor } from './dataset-salt.ts';
import type { TrainerFactory } from './local-trainer.ts';
import { createManifestTrainer, type TrainingMachine } from './manifest-trainer.ts';
import { parseTaskField, requireKind } from './task-error.ts';

/** The kind of task that this client can work on, as the manifest names it. */
export const NEXT_CHARACTER = 'next-character';

/** What a client brings to the task. */
export interface NextCharacterOptions extends TrainingMachine {
  /** Folders with its text. */
  readonly folders: readonly string[];
  /** Which files of them count; default `any`. */
  readonly kind?: TextKind;
  /** The secret that hides the text behind its commitment; left out, whoever has the same text can tell. */
  readonly secret?: Uint8Array;
  /** Told once what was chosen, for people. */
  readonly onReady?: (facts: Readonly<Record<string, unknown>>) => void;
}

/** What a manifest says of a next-character job's data, as `task.data`. */
export const nextCharacterDataSchema = z.strictObject({
  contextLength: z.number().int().min(1).max(1024),
  heldOutSamples: z.number().int().min(1).max(1_000_000).optional(),
});

/**
 * Opens a client's text as a manifest describes it.
 *
 * @param manifest - of which `task.data` is `{ contextLength, heldOutSamples? }`
 * @param folders - the client's folders
 * @param kind - which files of them count
 * @throws TaskError `task/unknown-kind`, `task/invalid`; DataError
 */
export async function openTaskText(
  { task }: Pick<Manifest, 'task'>,
  folders: readonly string[],
  kind?: TextKind,
): Promise<TextCorpus> {
  requireKind(task.kind, NEXT_CHARACTER);
  const { contextLength, heldOutSamples } = parseTaskField('data', nextCharacterDataSchema, task.data);
  const options: CorpusOptions = {
    contextLength,
    ...(heldOutSamples === undefined ? {} : { heldOutSamples }),
    ...(kind === undefined ? {} : { kind }),
  };
  return openCorpus(folders, options);
}

/** A corpus as records: one for each file, its line of the listing. */
export function textRecords({ listing }: Pick<TextCorpus, 'listing'>): CommittedRecords {
  return { count: listing.length, label: () => 0, raw: (index) => new TextEncoder().encode(listing[index]) };
}

/**
 * Trains on text: `task.kind` is `next-character`, `task.data` is `{ contextLength, heldOutSamples? }`,
 * `task.architecture` and `task.training` are what the TensorFlow.js trainer takes.
 *
 * The factory throws TaskError `task/unknown-kind`, `task/invalid`, `task/tensor-mismatch`; DataError; TrainerError.
 */
export function createNextCharacterFactory(options: NextCharacterOptions): TrainerFactory {
  return async (manifest: Manifest) => {
    const corpus = await openTaskText(manifest, options.folders, options.kind);
    const trainer = await createManifestTrainer(manifest, corpus, options);
    const { symbols, files, samples } = corpus;
    const { secret } = options;
    const datasetCommitment =
      secret === undefined ? corpus.datasetCommitment : commitRecords(textRecords(corpus), saltFor(secret, manifest));
    options.onReady?.({ symbols, files, samples, backend: trainer.backend.name, why: trainer.backend.reason });
    return { trainer, datasetCommitment };
  };
}
