import type { ClientConfig, JobConfig } from '../config/client-config.ts';
import type { Log } from '../log.ts';
import { CLASSIFICATION, createClassificationFactory } from '../tasks/classification.ts';
import { createCustomFactory } from '../tasks/custom.ts';
import { datasetSecret } from '../tasks/dataset-salt.ts';
import type { TrainerFactory } from '../tasks/local-trainer.ts';
import { createNextCharacterFactory, NEXT_CHARACTER } from '../tasks/next-character.ts';
import { TaskError } from '../tasks/task-error.ts';

/**
 * Chooses what makes a job's trainer once its manifest is known: the client's own program where it names one, whatever the
 * kind of task, else what this client has for that kind.
 *
 * @param onReady - told what was chosen, for people
 * @param log - told what a program of the client's own says
 * @returns a factory that throws TaskError `task/unknown-kind` for a kind that only a program of its own can work on
 */
export function createTrainerFactory(
  config: Pick<ClientConfig, 'backend' | 'device' | 'file' | 'keyFile' | 'state'>,
  job: Pick<JobConfig, 'data' | 'text' | 'trainer'>,
  onReady: (facts: Readonly<Record<string, unknown>>) => void,
  log: Log,
): TrainerFactory {
  const { backend, device } = config;
  const machine = { backend, ...(device === undefined ? {} : { backendOptions: { device } }) };
  return async (manifest, signal) => {
    const secret = await datasetSecret(config.state);
    const { kind } = manifest.task;
    if (job.trainer !== undefined) {
      const hidden = [config.state, config.keyFile, config.file].filter((path) => path !== undefined);
      const settings = { ...job.trainer, hidden };
      const { data } = job;
      return createCustomFactory({ settings, data, secret, environment: process.env, log, onReady })(manifest, signal);
    }
    switch (kind) {
      case CLASSIFICATION:
        return createClassificationFactory({ paths: job.data, secret, ...machine, onReady })(manifest, signal);
      case NEXT_CHARACTER: {
        const { data: folders, text } = job;
        return createNextCharacterFactory({ folders, kind: text, secret, ...machine, onReady })(manifest, signal);
      }
      default:
        throw new TaskError(
          'task/unknown-kind',
          `the job's task is "${kind}", which this client has no trainer for: name a program that trains it by --trainer`,
          { kind },
        );
    }
  };
}
