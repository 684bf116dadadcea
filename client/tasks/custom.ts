import { ZERO_HASH } from '../../shared/bytes.ts';
import type { Json } from '../../shared/codec.ts';
import type { Log } from '../log.ts';
import type { ProcessSettings } from '../trainers/process/process-settings.ts';
import { createProcessTrainer } from '../trainers/process/process-trainer.ts';
import type { TrainerFactory } from './local-trainer.ts';

/** The kind of task whose meaning only its trainers know: `task.data` and `task.training` are whatever they agree on. */
export const CUSTOM = 'custom';

/** What a client with a trainer of its own brings. */
export interface CustomOptions {
  /** The program and what it may reach. */
  readonly settings: ProcessSettings;
  /** Folders and files with the client's data, which the program is told. */
  readonly data: readonly string[];
  /** The client's environment, of which the program gets a part. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where the program's own words are told. */
  readonly log: Log;
  /** Told once what was chosen, for people. */
  readonly onReady?: (facts: Readonly<Record<string, unknown>>) => void;
}

/**
 * Trains by a program of the client's own, whatever the kind of task: `custom`, or one that this client could work on by
 * itself. The program is given the manifest's `task` as data; nothing of it is executed. Its data are what it commits to,
 * or nothing: 32 zero bytes.
 *
 * The factory throws ProcessTrainerError if the program cannot be started.
 */
export function createCustomFactory({ settings, data, environment, log, onReady }: CustomOptions): TrainerFactory {
  return async (manifest, signal) => {
    const trainer = await createProcessTrainer({
      ...settings,
      tensors: manifest.tensors,
      task: manifest.task as Json,
      usefulMs: manifest.participation.deadlineMs,
      data,
      environment,
      log,
      signal,
    });
    const { name, datasetCommitment = ZERO_HASH } = trainer;
    onReady?.({ trainer: name ?? settings.command, sandbox: settings.sandbox ?? 'none', datasetCommitment });
    return { trainer, datasetCommitment };
  };
}
