import type { ClientConfig, JobConfig } from '../config/client-config.ts';
import type { TrainerFactory } from '../tasks/local-trainer.ts';
import { createNextCharacterFactory } from '../tasks/next-character.ts';

/**
 * Chooses what makes a job's trainer once its manifest is known: by the client's configuration, and by the kind of task.
 *
 * @param onReady - told what was chosen, for people
 */
export function createTrainerFactory(
  config: Pick<ClientConfig, 'backend' | 'device'>,
  job: Pick<JobConfig, 'data' | 'text'>,
  onReady: (facts: Readonly<Record<string, unknown>>) => void,
): TrainerFactory {
  const { backend } = config;
  return createNextCharacterFactory({
    folders: job.data,
    kind: job.text,
    backend,
    onReady,
  });
}
