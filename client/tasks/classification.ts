import type { Manifest } from '../../shared/round/manifest.ts';
import { type ClassificationData, classificationDataSchema, className } from '../data/classification-data.ts';
import { type CommittedRecords, commitRecords } from '../data/dataset-commitment.ts';
import { type LabelledRecords, openLabelledRecords } from '../data/labelled-records.ts';
import { saltFor } from './dataset-salt.ts';
import type { TrainerFactory } from './local-trainer.ts';
import { createManifestTrainer, type TrainingMachine } from './manifest-trainer.ts';
import { parseTaskField, requireKind } from './task-error.ts';

/** The kind of task, as the manifest names it. */
export const CLASSIFICATION = 'classification';

/** What a client brings to the task. */
export interface ClassificationOptions extends TrainingMachine {
  /** Files and folders with its data. */
  readonly paths: readonly string[];
  /** The secret that hides the data behind its commitment. */
  readonly secret: Uint8Array;
  /** Told once what was chosen, for people. */
  readonly onReady?: (facts: Readonly<Record<string, unknown>>) => void;
}

/**
 * Reads a classification job's `task.data`.
 *
 * @throws TaskError `task/unknown-kind`, `task/invalid`, naming the first field at fault
 */
export function parseClassification({ task }: Pick<Manifest, 'task'>): ClassificationData {
  requireKind(task.kind, CLASSIFICATION);
  return parseTaskField('data', classificationDataSchema, task.data);
}

/** Labelled records as they are committed to, in the order in which they stand. */
export function labelledRecords({ source }: Pick<LabelledRecords, 'source'>): CommittedRecords {
  return {
    count: source.labels.length,
    label: (index) => source.labels[index] as number,
    raw: (index) => source.readRaw(index),
  };
}

/**
 * Trains a classifier on labelled records: `task.kind` is `classification`, `task.data` is described in docs/data.md,
 * `task.architecture` and `task.training` are what the TensorFlow.js trainer takes.
 *
 * The factory throws TaskError `task/unknown-kind`, `task/invalid`, `task/tensor-mismatch`; DataError; TrainerError.
 */
export function createClassificationFactory(options: ClassificationOptions): TrainerFactory {
  return async (manifest: Manifest) => {
    const data = parseClassification(manifest);
    const records = await openLabelledRecords(options.paths, data);
    const trainer = await createManifestTrainer(manifest, records, options);
    try {
      const datasetCommitment = commitRecords(labelledRecords(records), saltFor(options.secret, manifest));
      options.onReady?.({
        records: records.source.labels.length,
        samples: records.samples,
        heldOut: records.heldOutSamples,
        classes: histogramText(data, records.histogram),
        backend: trainer.backend.name,
        why: trainer.backend.reason,
      });
      return { trainer, datasetCommitment };
    } catch (error) {
      trainer.dispose();
      throw error;
    }
  };
}

const MOST_TOLD = 20;

/** How many records each class has, in one line; classes without any are told at the end. */
function histogramText(data: ClassificationData, histogram: readonly number[]): string {
  const present = histogram.flatMap((count, label) => (count > 0 ? [`${className(data, label)}: ${count}`] : []));
  const missing = histogram.length - present.length;
  return [
    ...present.slice(0, MOST_TOLD),
    ...(present.length > MOST_TOLD ? [`${present.length - MOST_TOLD} more`] : []),
    ...(missing > 0 ? [`${missing} without any`] : []),
  ].join(', ');
}
