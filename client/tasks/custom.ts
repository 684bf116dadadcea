import { type Hex, ZERO_HASH } from '../../shared/bytes.ts';
import type { Json } from '../../shared/codec.ts';
import { commitRecords } from '../data/dataset-commitment.ts';
import type { Log } from '../log.ts';
import type { ProcessSettings } from '../trainers/process/process-settings.ts';
import { createProcessTrainer } from '../trainers/process/process-trainer.ts';
import { fileRecords } from './custom-data.ts';
import { saltFor } from './dataset-salt.ts';
import type { TrainerFactory } from './local-trainer.ts';

/** What a client with a trainer of its own brings. */
export interface CustomOptions {
  /** The program and what it may reach. */
  readonly settings: ProcessSettings;
  /** Folders and files with the client's data, which the program is told. */
  readonly data: readonly string[];
  /** The secret that hides the data behind its commitment. */
  readonly secret: Uint8Array;
  /** The client's environment, of which the program gets a part. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where the program's own words are told. */
  readonly log: Log;
  /** Told once what was chosen, for people. */
  readonly onReady?: (facts: Readonly<Record<string, unknown>>) => void;
}

/**
 * Trains by a program of the client's own, whatever the kind of task: `custom`, whose `task.data` and `task.training` mean
 * what its trainers agree on, or one that this client could work on by itself. The program is given the manifest's `task` as data; nothing of it is executed.
 *
 * The commitment to the data is what the program says. Where it says none it is one over the files of `data`, and without
 * these 32 zero bytes, which commit to nothing.
 *
 * The factory throws ProcessTrainerError if the program cannot be started; DataError.
 */
export function createCustomFactory(options: CustomOptions): TrainerFactory {
  const { settings, data, environment, log } = options;
  return async (manifest, signal) => {
    const salt = saltFor(options.secret, manifest);
    const trainer = await createProcessTrainer({
      ...settings,
      tensors: manifest.tensors,
      task: manifest.task as Json,
      usefulMs: manifest.participation.deadlineMs,
      data,
      salt,
      environment,
      log,
      signal,
    });
    try {
      const datasetCommitment = trainer.datasetCommitment ?? (await commitFiles(data, salt));
      const { sandbox = 'none', command } = settings;
      options.onReady?.({ trainer: trainer.name ?? command, sandbox, datasetCommitment });
      return { trainer, datasetCommitment };
    } catch (error) {
      trainer.dispose();
      throw error;
    }
  };
}

async function commitFiles(data: readonly string[], salt: Uint8Array): Promise<Hex> {
  return data.length === 0 ? ZERO_HASH : commitRecords(await fileRecords(data), salt);
}
