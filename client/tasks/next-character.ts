import { z } from 'zod';
import { FedanchorError } from '../../shared/errors.ts';
import type { Manifest } from '../../shared/round/manifest.ts';
import { openCorpus } from '../data/text-corpus.ts';
import type { TextKind } from '../data/text-folder.ts';
import type { LayersArchitecture } from '../trainers/tfjs/architecture.ts';
import type { BackendPreference } from '../trainers/tfjs/backend.ts';
import { createTfjsTrainer } from '../trainers/tfjs/tfjs-trainer.ts';
import type { TrainingSettings } from '../trainers/tfjs/training-settings.ts';
import type { TrainerFactory } from './local-trainer.ts';

/** The kind of task that this client can work on, as the manifest names it. */
const NEXT_CHARACTER = 'next-character';

/** Thrown when a manifest's task cannot be worked on by this client. */
export class TaskError extends FedanchorError<'task/unknown-kind' | 'task/invalid' | 'task/tensor-mismatch'> {}

/** What a client brings to the task. */
export interface NextCharacterOptions {
  /** Folders with its text. */
  readonly folders: readonly string[];
  /** Which files of them count; default `any`. */
  readonly kind?: TextKind;
  /** Which backend to train on; default `auto`. */
  readonly backend?: BackendPreference;
  /** Told once what was chosen, for people. */
  readonly onReady?: (facts: Readonly<Record<string, unknown>>) => void;
}

const dataSchema = z.strictObject({
  contextLength: z.number().int().min(1).max(1024),
  heldOutSamples: z.number().int().min(1).max(1_000_000).optional(),
});
const objectSchema = z.record(z.string(), z.unknown());

/**
 * Trains on text: `task.kind` is `next-character`, `task.data` is `{ contextLength, heldOutSamples? }`,
 * `task.architecture` and `task.training` are what the TensorFlow.js trainer takes.
 *
 * The factory throws TaskError `task/unknown-kind`, `task/invalid`, `task/tensor-mismatch`; DataError; TrainerError.
 */
export function createNextCharacterFactory(options: NextCharacterOptions): TrainerFactory {
  return async (manifest: Manifest) => {
    const { kind, data, architecture, training } = manifest.task;
    if (kind !== NEXT_CHARACTER) {
      throw new TaskError(
        'task/unknown-kind',
        `the job's task is "${kind}", this client works on "${NEXT_CHARACTER}": use a client made for that task`,
        { kind },
      );
    }
    const { contextLength, heldOutSamples } = parseField('data', dataSchema, data);
    const corpus = await openCorpus(options.folders, {
      contextLength,
      ...(heldOutSamples === undefined ? {} : { heldOutSamples }),
      ...(options.kind === undefined ? {} : { kind: options.kind }),
    });
    const trainer = await createTfjsTrainer({
      architecture: parseField('architecture', objectSchema, architecture) as LayersArchitecture,
      // The trainer checks each setting itself.
      training: parseField('training', objectSchema, training) as unknown as TrainingSettings,
      data: corpus,
      ...(options.backend === undefined ? {} : { backend: options.backend }),
    });
    const expected = manifest.tensors.map(({ shape }) => `[${shape.join(',')}]`).join(' ');
    const found = trainer.tensors.map(({ shape }) => `[${shape.join(',')}]`).join(' ');
    if (expected !== found) {
      trainer.dispose();
      throw new TaskError(
        'task/tensor-mismatch',
        `the manifest lists tensors of shapes ${expected} but its architecture has ${found}: the manifest is at fault`,
        { expected, found },
      );
    }
    const { symbols, files, samples, datasetCommitment } = corpus;
    options.onReady?.({ symbols, files, samples, backend: trainer.backend.name, why: trainer.backend.reason });
    return { trainer, datasetCommitment };
  };
}

function parseField<T>(field: string, schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = ['task', field, ...(issue?.path ?? [])].join('.');
  throw new TaskError('task/invalid', `manifest field "${path}": ${issue?.message ?? 'is not valid'}`, { field: path });
}
