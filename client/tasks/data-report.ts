import type { Hex } from '../../shared/bytes.ts';
import type { Manifest } from '../../shared/round/manifest.ts';
import { className } from '../data/classification-data.ts';
import { type CommittedRecords, commitRecords, openRecord, type RecordProof } from '../data/dataset-commitment.ts';
import { openLabelledRecords } from '../data/labelled-records.ts';
import type { TextKind } from '../data/text-folder.ts';
import { CLASSIFICATION, labelledRecords, parseClassification } from './classification.ts';
import { saltFor } from './dataset-salt.ts';
import { openTaskText, textRecords } from './next-character.ts';

/** What a client's data is, seen by a job. */
export interface DataReport {
  /** Its form. */
  readonly format: string;
  /** Files it is read from. */
  readonly files: number;
  /** Records: rows, images, lines; of text, files. */
  readonly records: number;
  /** Examples that are trained on. */
  readonly samples: number;
  /** Examples that are held out. */
  readonly heldOutSamples: number;
  /** How many records there are of each class, by its name, in the order of the model's outputs; of text, none. */
  readonly histogram: readonly { readonly name: string; readonly records: number }[];
  /** Records whose input another one before has too. */
  readonly duplicates: number;
  /** The share of held-out examples that always answering the most frequent class would get right; of text, undefined. */
  readonly baseline: number | undefined;
}

/** A client's data as a job sees it, opened. */
export interface OpenedData {
  /** What it is. */
  readonly report: DataReport;
  /** Its records in the order in which they are committed to. */
  readonly records: CommittedRecords;
  /** Reads every example once, as training would. Throws DataError for one that cannot be read. */
  readAll(): void;
  /** Closes files. */
  close(): void;
}

const AT_ONCE = 256;

/**
 * Opens a client's data as a job's manifest describes it, without a model.
 *
 * @param manifest - of which `task` counts; its kind is `classification` or `next-character`
 * @param paths - files and folders with the data
 * @param text - which text files count
 * @throws TaskError `task/unknown-kind`, `task/invalid`; DataError
 */
export async function openTaskData(
  manifest: Pick<Manifest, 'task'>,
  paths: readonly string[],
  text?: TextKind,
): Promise<OpenedData> {
  if (manifest.task.kind !== CLASSIFICATION) return openText(manifest, paths, text);
  const data = parseClassification(manifest);
  const opened = await openLabelledRecords(paths, data);
  const { histogram, samples, heldOutSamples, duplicates, source } = opened;
  return {
    report: {
      format: data.format,
      files: source.files,
      records: source.labels.length,
      samples,
      heldOutSamples,
      histogram: histogram.map((records, label) => ({ name: className(data, label), records })),
      duplicates,
      baseline: (opened.heldOutHistogram[opened.mostFrequentClass] ?? 0) / heldOutSamples,
    },
    records: labelledRecords(opened),
    readAll: () => {
      for (let start = 0; start < samples; start += AT_ONCE) {
        opened.examples(Array.from({ length: Math.min(AT_ONCE, samples - start) }, (_, at) => start + at));
      }
      for (let start = 0; start < heldOutSamples; start += AT_ONCE) {
        opened.heldOut(start, Math.min(AT_ONCE, heldOutSamples - start));
      }
    },
    close: () => opened.close(),
  };
}

async function openText(
  manifest: Pick<Manifest, 'task'>,
  paths: readonly string[],
  text: TextKind | undefined,
): Promise<OpenedData> {
  const corpus = await openTaskText(manifest, paths, text);
  const { files, samples, heldOutSamples } = corpus;
  return {
    report: {
      format: 'text',
      files,
      records: files,
      samples,
      heldOutSamples,
      histogram: [],
      duplicates: 0,
      baseline: undefined,
    },
    records: textRecords(corpus),
    readAll: () => {},
    close: () => {},
  };
}

/**
 * Commits to opened data as a client in a job does.
 *
 * @param data - of {@link openTaskData}
 * @param manifest - the job's
 * @param secret - the client's
 */
export function commitmentOf({ records }: Pick<OpenedData, 'records'>, manifest: Manifest, secret: Uint8Array): Hex {
  return commitRecords(records, saltFor(secret, manifest));
}

/**
 * Opens one record of what {@link commitmentOf} committed to.
 *
 * @param index - which record, from 0
 * @throws DataError `data/no-such-record`
 */
export function proofOf(
  { records }: Pick<OpenedData, 'records'>,
  manifest: Manifest,
  secret: Uint8Array,
  index: number,
): RecordProof {
  return openRecord(records, saltFor(secret, manifest), index);
}
